import { secretsManagerClient } from '../aws/clients.ts';
import { listCopies } from '../aws/copies.ts';
import { describeWith } from '../aws/secrets-manager.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { lackingForRoles } from '../config/roles.ts';
import { createLimiter } from '../limiter.ts';
import type { Log } from '../log.ts';
import { lookAtBoth, type Order } from '../replicate/look-at.ts';
import type { SecretRef } from '../replicate/ref.ts';
import type { VaultSource } from '../vault/source.ts';
import { checkDestinations } from './check-regions.ts';
import { vaultSource } from './serve.ts';

/** Vault and the destinations, for commands that only look. Throws a ConfigError when Vault is not configured. */
export async function openBothEnds(config: Config, log: Log) {
  const lacking = [...lackingForRoles(config, new Set(['worker'])), ...(await checkDestinations(config.destinations))];
  if (lacking.length > 0) throw new ConfigError(lacking);
  const pace = createLimiter(config.sweep.vaultRequestsPerSecond, systemClock).turn;
  const source = await vaultSource(config, log, pace);
  if (source === undefined) throw new ConfigError([{ path: ['vault'], text: 'address and auth are needed' }]);
  const paced = { read: (ref: SecretRef) => pacedRead(source, ref, pace) };
  const ends = new Map(
    Object.entries(config.destinations).map(([name, settings]) => {
      const client = secretsManagerClient(settings, 3);
      const { tags, versionTag } = settings;
      const ports = { source: paced, destination: { describe: describeWith({ client }) }, clock: systemClock };
      const vault = config.vault.id;
      const look = (order: Order) => lookAtBoth({ ...ports, vault, tags, versionTag }, order);
      return [name, { look, copies: () => listCopies(client, vault) }] as const;
    }),
  );
  return { source, ends, close: () => source.close() };
}

/** A read asks for the value and for the mount's entry. */
async function pacedRead(source: VaultSource, ref: SecretRef, pace: () => Promise<void>) {
  await pace();
  await pace();
  return source.read(ref);
}
