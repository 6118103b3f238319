import type { Extra } from '../aws/try-call.ts';
import type { Config, DestinationConfig } from '../config/config.ts';
import { secretName } from '../replicate/name.ts';
import type { ClockFacts } from './checks/clock.ts';
import { freeName, freePath } from './free-path.ts';
import { type DestinationProbes, lookAtDestination, lookAtQueues, type QueueProbes } from './look-at-aws.ts';
import { openVault, type VaultProbes } from './open-vault.ts';
import type { Probes, Visit } from './visit.ts';

/** Opens what a doctor's visit needs; asks nothing yet. */
export function openProbes(visit: Visit): Probes {
  const vault = openVault(visit);
  const queues = lookAtQueues(visit.config.queue, visit.endpointChosen, visit.now);
  const destinations = lookAtDestinations(visit);
  const each = <T>(ask: (one: DestinationProbes) => Promise<T>) => Promise.all(destinations.map(ask));
  return {
    ...vault,
    queues: queues.queues,
    queueCalls: queues.calls,
    places: () => each((one) => one.place()),
    permissions: async () => (await each((one) => one.permissions())).filter((facts) => facts !== undefined),
    clocks: () => clocks(vault, queues, destinations),
    close: () => {
      vault.close();
      queues.close();
      for (const one of destinations) one.close();
    },
  };
}

async function clocks(vault: VaultProbes, queues: QueueProbes, destinations: readonly DestinationProbes[]) {
  return Promise.all([vaultClock(vault), queues.clock(), ...destinations.map((one) => one.clock())]);
}

async function vaultClock(vault: VaultProbes): Promise<ClockFacts> {
  const health = await vault.health();
  if (health.kind !== 'answered' || health.serverTime === undefined) {
    return { whose: 'Vault', unknown: 'no answer told a time' };
  }
  return { whose: 'Vault', theirs: health.serverTime, ours: health.receivedAt };
}

/** A name of the route's own making is what a policy of IAM most likely means. */
function lookAtDestinations({ config, now }: Visit): readonly DestinationProbes[] {
  const freeNameAt = (destination: string): string | undefined => {
    const route = config.routes.find(({ to }) => to.includes(destination));
    const name = freeName();
    return route && secretName(route.as, { ...route, path: freePath(route, name) ?? name });
  };
  return Object.entries(config.destinations).map(([name, settings]) =>
    lookAtDestination({
      ...{ name, settings, vault: config.vault.id, freeName: freeNameAt(name), now },
      extras: extrasOf(config.routes, name, settings),
    }),
  );
}

/** As `policy iam` grants them. */
function extrasOf(routes: Config['routes'], name: string, { onDelete }: DestinationConfig): Extra[] {
  const compares = routes.some(({ to, kvVersion }) => kvVersion === 1 && to.includes(name));
  return [
    ...(compares ? ['GetSecretValue' as const] : []),
    ...(onDelete === 'schedule' ? ['DeleteSecret' as const] : []),
  ];
}
