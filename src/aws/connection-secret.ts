import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ReplicationError } from '../errors.ts';
import { Sensitive } from '../sensitive.ts';
import { secretsManagerClient } from './clients.ts';
import { sdkErrorName } from './failure.ts';

/** Where Vault is, and a token for it. */
export interface VaultConnection {
  readonly address: string;
  readonly token: Sensitive<string>;
}

/** Milliseconds for the call with its retries. */
const LIMIT = 10_000;

/**
 * Reads `{"vaultAddress", "vaultToken"}` from a secret, given its name or ARN; an ARN's region counts before the SDK's.
 * `originOf` gives an address without its path, undefined where it is none. Throws source_unavailable, never with a value.
 */
export function connectionSecret(
  id: string,
  originOf: (address: string) => string | undefined,
  client: Pick<SecretsManagerClient, 'send'> = secretsManagerClient(regionOf(id), 3),
): () => Promise<VaultConnection> {
  return async () => {
    const command = new GetSecretValueCommand({ SecretId: id });
    const { SecretString = '' } = await client
      .send(command, { abortSignal: AbortSignal.timeout(LIMIT) })
      .catch((error: unknown) => {
        throw unusable(
          id,
          `cannot be read (${sdkErrorName(error)}); see that it exists, and that the role may GetSecretValue`,
        );
      });
    const { vaultAddress, vaultToken } = members(SecretString);
    const address = typeof vaultAddress === 'string' ? originOf(vaultAddress) : undefined;
    if (address === undefined) throw unusable(id, 'has no "vaultAddress" that is an http or https URL');
    if (typeof vaultToken !== 'string' || !/^[\x21-\x7e]+$/.test(vaultToken)) throw unusable(id, 'has no "vaultToken"');
    return { address, token: new Sensitive(vaultToken) };
  };
}

function regionOf(id: string): { region?: string } {
  const region = /^arn:[^:]*:secretsmanager:([^:]+):/.exec(id)?.[1];
  return region === undefined ? {} : { region };
}

function members(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const unusable = (id: string, why: string): ReplicationError =>
  new ReplicationError('source_unavailable', `the secret ${id} (vault.auth.connectionSecret) ${why}`);
