import { secretsManagerClient } from '../aws/clients.ts';
import { listCopies } from '../aws/copies.ts';
import { lookingWith } from '../aws/secrets-manager.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { lackingForRoles } from '../config/roles.ts';
import type { Log } from '../log.ts';
import type { Look } from '../replicate/decide.ts';
import { lookAtBoth, type Order } from '../replicate/look-at.ts';
import { checkDestinations } from './check-regions.ts';
import { fresh } from './fresh.ts';
import { vaultSource } from './vault-source.ts';

/** Vault and the destinations, for commands that only look. Throws a ConfigError when Vault is not configured. */
export async function openBothEnds(config: Config, log: Log) {
  const lacking = [...lackingForRoles(config, new Set(['worker'])), ...(await checkDestinations(config.destinations))];
  if (lacking.length > 0) throw new ConfigError(lacking);
  const source = await vaultSource(config, log, true);
  if (source === undefined) throw new ConfigError([{ path: ['vault'], text: 'address and auth are needed' }]);
  const ends = new Map(
    Object.entries(config.destinations).map(([name, settings]) => {
      const client = secretsManagerClient(settings, 3);
      const { tags, versionTag, maxSecrets, onDelete, deletion } = settings;
      const destination = lookingWith({ client });
      const ports = { source, destination, clock: systemClock, fresh };
      const vault = config.vault.id;
      const copies = () => listCopies(client, vault);
      const isFull = onceAsked(() => holds(copies(), settings.maxSecrets));
      const look = async (order: Order): Promise<Look> => {
        const seen = await lookAtBoth({ ...ports, vault, tags, versionTag }, order);
        const wouldCreate = seen.destination === undefined && seen.source.kind === 'present';
        return wouldCreate && (await isFull()) ? { ...seen, fullAt: settings.maxSecrets } : seen;
      };
      const swept = { tags, versionTag, maxSecrets, isDown: () => false, ...destination };
      return [name, { look, copies, ...swept, ...(onDelete === 'schedule' && { deletion }) }] as const;
    }),
  );
  return { source, ends, close: () => source.close() };
}

/** Whether the listing shows at least so many copies that are there to stay. */
async function holds(copies: ReturnType<typeof listCopies>, count: number): Promise<boolean> {
  let left = count;
  for await (const { scheduledForDeletion } of copies) {
    if (!scheduledForDeletion) left -= 1;
    if (left === 0) return true;
  }
  return false;
}

function onceAsked<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
