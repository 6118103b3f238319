import { secretsManagerClient } from '../aws/clients.ts';
import { listCopies } from '../aws/copies.ts';
import { createSecretsManager } from '../aws/secrets-manager.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { createLimiter } from '../limiter.ts';
import { checkDestinations } from './check-regions.ts';

/** The destinations, for commands that change who owns a copy. Asks nothing of Vault. */
export async function openPlaces(config: Config) {
  const unfit = await checkDestinations(config.destinations);
  if (unfit.length > 0) throw new ConfigError(unfit);
  return new Map(
    Object.entries(config.destinations).map(([name, settings]) => {
      const client = secretsManagerClient(settings, 3);
      const onceClient = secretsManagerClient(settings, 1);
      const limiter = () => createLimiter(config.worker.writesPerSecond, systemClock);
      const limits = { versions: limiter(), creations: limiter(), tags: limiter() };
      const { describe, retag } = createSecretsManager({ client, onceClient, limits });
      const copies = () => listCopies(client, config.vault.id);
      return [name, { describe, retag, copies, versionTag: settings.versionTag }] as const;
    }),
  );
}
