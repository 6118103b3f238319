import type { Sensitive } from '../sensitive.ts';
import { credentialFrom } from './secret-file.ts';

/** What is shown to Vault at a login, and what its refusal would mean. */
export interface Proof {
  readonly body: Readonly<Record<string, string | undefined>>;
  /** For people, after "Vault refused the login"; without any part of the body that is secret. */
  readonly hint: string;
}

/** A login method of Vault's: where it is mounted, without `auth/`, and what to post to its `login`, made anew each time. */
export interface LoginMethod {
  readonly mount: string;
  proof(): Promise<Proof>;
}

/** Exactly one of each pair is there. */
export interface AppRole {
  readonly mount: string;
  readonly roleId?: string;
  readonly roleIdFile?: string;
  readonly secretId?: Sensitive<string>;
  readonly secretIdFile?: string;
}

/** Files are read at each login, so that what is in them may be rotated. */
export function appRole({ mount, roleId, roleIdFile, secretId, secretIdFile }: AppRole): LoginMethod {
  return {
    mount,
    proof: async () => {
      const role = roleIdFile === undefined ? roleId : (await credentialFrom(roleIdFile, 'role-id')).reveal();
      const secret = secretIdFile === undefined ? secretId : await credentialFrom(secretIdFile, 'secret-id');
      const where = secretIdFile === undefined ? 'of the configuration' : `in ${secretIdFile}`;
      const hint = isToken(`${secret?.reveal()}`) ? wrapped(where) : refused(where);
      return { body: { role_id: role, secret_id: secret?.reveal() }, hint };
    },
  };
}

/** Vault's tokens, wrapping tokens among them, begin so; its secret-ids are UUIDs. */
const isToken = (text: string): boolean => /^(hv[sbr]|[sbr])\./.test(text);

const wrapped = (where: string): string =>
  `the secret-id ${where} looks like a wrapping token; unwrap it (vault unwrap -field=secret_id), and put there what comes of it`;

const refused = (where: string): string =>
  `the role-id is unknown, or the secret-id ${where} is wrong, expired, used up (secret_id_num_uses) or bound to another address; issue a new one and put it there`;

export interface Kubernetes {
  readonly mount: string;
  readonly role: string;
  readonly jwtFile: string;
}

export const kubernetes = ({ mount, role, jwtFile }: Kubernetes): LoginMethod => ({
  mount,
  proof: async () => ({
    body: { role, jwt: (await credentialFrom(jwtFile, 'JWT')).reveal() },
    hint: `the role "${role}" does not take the JWT in ${jwtFile}: see that it is not expired, and the role's bound service account, namespace and audience`,
  }),
});

/** A signed request to STS, which Vault sends for us to learn who we are. */
export interface SignedRequest {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** @param sign signs `sts:GetCallerIdentity` as a POST, which leaves the signature out of the URL and so out of logs */
export const aws = (
  { mount, role }: { readonly mount: string; readonly role: string },
  sign: () => Promise<SignedRequest>,
): LoginMethod => ({
  mount,
  proof: async () => {
    const { url, body, headers } = await sign();
    return {
      body: {
        role,
        iam_http_request_method: 'POST',
        iam_request_url: base64(url),
        iam_request_body: base64(body),
        iam_request_headers: base64(JSON.stringify(headers)),
      },
      hint: `the role "${role}" does not take the AWS credentials of this process: see the role's bound_iam_principal_arn, that vault.auth.header is what Vault asks for, and that the STS endpoint of vault.auth.region is the one that Vault is configured with`,
    };
  },
});
