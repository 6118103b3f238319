import { readFile } from 'node:fs/promises';
import { callerIdentity } from '../aws/caller-identity.ts';
import { connectionSecret } from '../aws/connection-secret.ts';
import { systemClock } from '../clock.ts';
import { parseUrl } from '../config/address.ts';
import type { AuthConfig, TokenAuthConfig } from '../config/auth.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { createLimiter } from '../limiter.ts';
import type { Log } from '../log.ts';
import type { VaultAuth } from '../vault/access.ts';
import { appRole, aws, kubernetes } from '../vault/login-methods.ts';
import { createVaultSource, type VaultSource } from '../vault/source.ts';

/**
 * Vault as the configuration describes it; undefined where it describes none. Throws a ConfigError when caFile is unreadable.
 * Requests of listings keep to `vaultRequestsPerSecond`; with `pacesReads` all do.
 */
export async function vaultSource(config: Config, log: Log, pacesReads = false): Promise<VaultSource | undefined> {
  const options = await vaultOptions(config, log);
  const pace = createLimiter(config.sweep.vaultRequestsPerSecond, systemClock).turn;
  return options && createVaultSource({ ...options, pace, pacesReads });
}

/** How Vault is reached and shown who we are; see {@link vaultSource}. */
export async function vaultOptions({ vault, routes }: Config, log: Log) {
  const { address, auth, caFile, timeout } = vault;
  if (auth === undefined || (address ?? auth.connectionSecret) === undefined) return undefined;
  const ca = caFile === undefined ? undefined : await readCa(caFile);
  const { namespace = '' } = auth;
  return { address, ca, timeout, token: vaultAuth(auth), namespace, mounts: routes, log };
}

function vaultAuth(auth: AuthConfig): VaultAuth {
  switch (auth.method) {
    case 'token':
      return tokenAuth(auth);
    case 'approle':
      return { login: appRole(auth) };
    case 'aws':
      return { login: aws(auth, callerIdentity(auth)) };
    case 'kubernetes':
      return { login: kubernetes(auth) };
  }
}

const tokenAuth = ({ token, tokenFile, connectionSecret: secret }: TokenAuthConfig): VaultAuth => ({
  ...(token && { token }),
  ...(tokenFile !== undefined && { tokenFile }),
  ...(secret !== undefined && { connection: connectionSecret(secret, originOf) }),
});

const originOf = (address: string): string | undefined => parseUrl(address)?.origin;

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new ConfigError([{ path: ['vault', 'caFile'], text: 'cannot be read' }]);
  }
}
