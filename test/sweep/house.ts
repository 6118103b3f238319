import { ReplicationError } from '../../src/errors.ts';
import { type ChangeMessage, parseMessage } from '../../src/queue/message.ts';
import { lookAtBoth } from '../../src/replicate/look-at.ts';
import { formatRef, type SecretRef } from '../../src/replicate/ref.ts';
import { createReplicator } from '../../src/replicate/replicate.ts';
import { createRoutes, type Route } from '../../src/replicate/routes.ts';
import type { DeletionSettings } from '../../src/sweep/deletion.ts';
import { type SweepOptions, type SweepOrder, sweep, type WorkerDestination } from '../../src/sweep/sweep.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createFakeQueue } from '../fakes/queue.ts';
import { type FakeSecretsManager, fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { fakeSource } from '../fakes/source.ts';

export const VAULT = 'vault';
const DAY = 86_400_000;

export const route = (mount: string, to: readonly string[] = ['eu'], more: Partial<Route> = {}): Route => ({
  ...{ name: mount, namespace: '', mount, to, include: ['**'], exclude: [] },
  as: '{mount}/{path}',
  ...more,
});

export const at = (path: string, mount = 'kv'): SecretRef => ({ namespace: '', mount, path });

export const DELETION: DeletionSettings = {
  ...{ grace: 15 * 60_000, recoveryDays: 30, maxPerSweep: 10, maxShare: 0.05, replicas: false },
};

export interface Settings {
  readonly routes?: readonly Route[];
  readonly mounts?: readonly string[];
  readonly maxSecrets?: number;
  /** Copies at `eu` are deleted, under these settings. */
  readonly deletion?: Partial<DeletionSettings>;
}

/** Vault, two destinations and a queue behind their fakes, and a sweep and a worker over them. */
export function house(settings: Settings = {}) {
  const { routes = [route('kv')], mounts = ['kv'], maxSecrets = 1000 } = settings;
  const clock = manualClock();
  const source = fakeSource(clock, ...mounts.map((mount) => ({ namespace: '', mount })));
  const queue = createFakeQueue(clock);
  const { log, lines, events } = recordingLog();
  const ending = new AbortController();
  const down = new Set<string>();
  const done: string[] = [];
  const extended: number[] = [];
  const ends = { eu: fakeSecretsManager(), us: fakeSecretsManager() };
  const listings: Record<string, (() => AsyncIterable<never>) | undefined> = {};
  const own = { vault: VAULT, tags: { team: 'a' }, versionTag: true, clock, fresh: () => '0'.repeat(24) };

  const destination = (name: 'eu' | 'us', deletion?: Partial<DeletionSettings>): WorkerDestination => ({
    ...{ tags: own.tags, versionTag: true, maxSecrets, describe: ends[name].describe },
    copies: () => listings[name]?.() ?? ends[name].copies(),
    isDown: () => down.has(name),
    ...(deletion !== undefined && {
      deletion: {
        settings: { ...DELETION, ...deletion },
        end: {
          look: (order) => lookAtBoth({ ...own, source, destination: ends[name] }, order),
          destination: ends[name],
          source,
        },
      },
    }),
  });
  const options: SweepOptions = {
    ...{ vault: VAULT, source, clock, log },
    routes: createRoutes(routes, { eu: { region: 'eu-west-1' }, us: { region: 'us-east-1' } }),
    destinations: new Map([
      ['eu', destination('eu', settings.deletion)],
      ['us', destination('us')],
    ]),
    ...{ publisher: queue.publisher, depth: queue.inbox.depth },
    onDeleted: ({ ref }, outcome) => done.push(`${outcome} ${formatRef(ref)}`),
  };
  const order = (more: Partial<SweepOrder> = {}): SweepOrder => ({
    ...{ now: clock.now, approvals: () => [], onSent: () => undefined },
    extend: async () => void extended.push(clock.now()),
    ...more,
  });
  const run = (more?: Partial<SweepOrder>) => sweep(options, order(more), ending.signal);
  const replicators = new Map(
    (['eu', 'us'] as const).map((name) => [name, createReplicator({ ...own, source, destination: ends[name], log })]),
  );
  const taken = async () => {
    const found: ChangeMessage[] = [];
    for (let batch = await queue.inbox.receive(10, 0); batch.length > 0; batch = await queue.inbox.receive(10, 0)) {
      found.push(...batch.map(({ body }) => parseMessage(body, VAULT) as ChangeMessage));
      await queue.inbox.acknowledge(batch);
    }
    return found;
  };
  const replicate = async (message: ChangeMessage) => {
    const { namespace, mount, path, destination: to } = message;
    const ref = { namespace, mount, path };
    const target = options.routes.targets(ref).find((candidate) => candidate.destination === to);
    const replicateTo = replicators.get(to as 'eu' | 'us');
    if (target === undefined || replicateTo === undefined) throw new Error('a message that no route leads anywhere');
    const { secretName } = target;
    await replicateTo({ ref, route: target.route, secretName, hint: undefined }, () => undefined).catch(
      (error: unknown) => {
        if (!(error instanceof ReplicationError)) throw error;
      },
    );
  };
  return {
    ...{ clock, source, queue, lines, events, ending, down, done, extended, ends, listings, options, order, run, DAY },
    /** What the sweep has put on the queue, taken off it: `ref -> destination`. */
    found: async () => (await taken()).map((message) => `${formatRef(message)} -> ${message.destination}`),
    /** The worker's part: looks at everything on the queue. */
    async work() {
      for (const message of await taken()) await replicate(message);
    },
  };
}

export const namesOf = (end: FakeSecretsManager, ...names: readonly string[]) => names.filter((name) => end.has(name));
