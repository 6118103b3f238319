import { Sensitive } from '../sensitive.ts';
import { trimSlashes } from './formats.ts';
import type { ConfigFile } from './schema.ts';

/** How VaultFerry shows Vault who it is. `mount` is that of the auth method, without `auth/` and outer slashes. */
export type AuthConfig = (TokenAuthConfig | AppRoleAuthConfig | AwsAuthConfig | KubernetesAuthConfig) & {
  /** Where the token is issued, without outer slashes; absent for the root namespace. */
  readonly namespace?: string;
};

/** Exactly one of the three is there. */
export interface TokenAuthConfig {
  readonly method: 'token';
  readonly token?: Sensitive<string>;
  readonly tokenFile?: string;
  /** Name or ARN of a Secrets Manager secret that holds Vault's address and a token. */
  readonly connectionSecret?: string;
}

/** What only the method `token` has. */
type NoToken = { readonly [key in Exclude<keyof TokenAuthConfig, 'method'>]?: never };

/** Exactly one of each pair is there. */
export interface AppRoleAuthConfig extends NoToken {
  readonly method: 'approle';
  readonly mount: string;
  readonly roleId?: string;
  readonly roleIdFile?: string;
  readonly secretId?: Sensitive<string>;
  readonly secretIdFile?: string;
}

export interface AwsAuthConfig extends NoToken {
  readonly method: 'aws';
  readonly mount: string;
  readonly role: string;
  /** Whose STS endpoint the request is signed for; absent for the global one. */
  readonly region?: string;
  /** X-Vault-AWS-IAM-Server-ID. */
  readonly header?: string;
}

export interface KubernetesAuthConfig extends NoToken {
  readonly method: 'kubernetes';
  readonly mount: string;
  readonly role: string;
  readonly jwtFile: string;
}

type AuthFile = NonNullable<ConfigFile['vault']['auth']>;

/** Where Kubernetes mounts the service account's token. */
const JWT_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Fills in what depends on the method, and seals the secrets. Throws a TypeError for what was never checked. */
export function resolveAuth({ namespace, ...auth }: AuthFile): AuthConfig {
  return { ...resolveMethod(auth), ...(namespace !== undefined && { namespace: trimSlashes(namespace) }) };
}

function resolveMethod(auth: AuthFile): AuthConfig {
  const { method, mount = method, role, jwtFile = JWT_FILE, token, secretId, ...rest } = auth;
  const at = trimSlashes(mount);
  const { tokenFile, connectionSecret, roleId, roleIdFile, secretIdFile, region, header } = rest;
  switch (method) {
    case 'token':
      return { method, ...given({ token: sealed(token), tokenFile, connectionSecret }) };
    case 'approle':
      return { method, mount: at, ...given({ roleId, roleIdFile, secretId: sealed(secretId), secretIdFile }) };
    case 'aws':
      return { method, mount: at, role: checked(role), ...given({ region, header }) };
    case 'kubernetes':
      return { method, mount: at, role: checked(role), jwtFile };
  }
}

const sealed = (secret: string | undefined): Sensitive<string> | undefined =>
  secret === undefined ? undefined : new Sensitive(secret);

/** Leaves out what is undefined. */
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

function checked(role: string | undefined): string {
  if (role === undefined) throw new TypeError('a configuration without its vault.auth.role was never checked');
  return role;
}

/** In the spelling of the file, secrets masked. */
export const spellAuth = (auth: AuthConfig): unknown => ({
  ...auth,
  ...('token' in auth && { token: '[redacted]' }),
  ...('secretId' in auth && { secretId: '[redacted]' }),
});
