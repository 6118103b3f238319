import { ReplicationError } from '../errors.ts';
import { formatRef, type SecretRef } from './ref.ts';

/** The Secrets Manager secret that holds our own Vault credentials, which must never be written as a copy. */
export interface OwnSecret {
  readonly names: ReadonlySet<string>;
  /** Known where it was given as an ARN. */
  readonly region?: string;
}

const ARN = /^arn:[^:]*:secretsmanager:([^:]*):[^:]*:secret:(.+)$/;

/**
 * Reads a name or an ARN. AWS ends an ARN in `-` and six characters that are not part of the name; an ARN may also be
 * written without them, so a name that itself ends so is taken both ways.
 */
export function ownSecret(id: string): OwnSecret {
  const [, region = '', name = id] = ARN.exec(id) ?? [];
  if (region === '') return { names: new Set([name]) };
  return { names: new Set([name, name.replace(/-[A-Za-z0-9]{6}$/, '')]), region };
}

/** Whether a copy of this name at this destination would be, or might be, that secret. */
export const isOwnSecret = (own: OwnSecret, name: string, { region }: { readonly region?: string }): boolean =>
  own.names.has(name) && (own.region === undefined || region === undefined || region === own.region);

/** Throws name_invalid where the copy would overwrite our own Vault credentials. */
export function checkNotOwn(
  { secretName, ownCredentials }: { readonly secretName: string; readonly ownCredentials?: true },
  ref: SecretRef,
): void {
  if (ownCredentials !== true) return;
  throw new ReplicationError(
    'name_invalid',
    `the copy of ${formatRef(ref)} would be called ${secretName}, which holds VaultFerry's own Vault credentials (vault.auth.connectionSecret): exclude the path, or set the route's "as"`,
  );
}
