import type { Log } from '../log.ts';
import { type ClientOptions, createClient, type VaultClient } from './client.ts';
import { createConnectionReader, type ReadConnection } from './connection.ts';
import { createLoginReader, type LoginReader } from './login.ts';
import type { LoginMethod } from './login-methods.ts';
import { createMovingClient } from './moving-client.ts';
import { createLogIn } from './post-login.ts';
import { createTokenReader, type TokenAuth, type TokenReader } from './token.ts';

/** How we show Vault who we are: a token at hand, a login, or a secret elsewhere that names Vault and a token. */
export type VaultAuth = TokenAuth | { readonly login: LoginMethod } | { readonly connection: ReadConnection };

export interface AccessOptions extends Omit<ClientOptions, 'address'> {
  /** May be missing where `token` brings it, and counts before that. */
  readonly address?: string | undefined;
  readonly token: VaultAuth;
  /** The namespace that issues tokens; "" is the root namespace. */
  readonly namespace: string;
  readonly log: Log;
}

export interface Access {
  readonly client: VaultClient;
  readonly tokens: TokenReader;
  /** Where tokens come of logins. */
  readonly logins?: LoginReader;
}

/** Asks nothing yet. Throws a TypeError where neither an address nor a secret that tells it is given. */
export function createAccess({ address, token, namespace, log, ...options }: AccessOptions): Access {
  const open = (where: string) => createClient({ ...options, address: where });
  if ('connection' in token) {
    const tokens = createConnectionReader(token.connection);
    return { tokens, client: address === undefined ? createMovingClient(tokens.address, open) : open(address) };
  }
  if (address === undefined) throw new TypeError("Vault's address is missing");
  const client = open(address);
  if (!('login' in token)) return { client, tokens: createTokenReader(token, log) };
  const logins = createLoginReader(createLogIn(client, token.login, namespace), log);
  return { client, tokens: logins, logins };
}
