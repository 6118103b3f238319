import { setMaxListeners } from 'node:events';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { listCopies } from '../../src/aws/copies.ts';
import { createSecretsManager } from '../../src/aws/secrets-manager.ts';
import type { Config } from '../../src/config/config.ts';
import { createLimiter } from '../../src/limiter.ts';
import type { Log } from '../../src/log.ts';
import { sweepGroup } from '../../src/queue/message.ts';
import { createCopyCount } from '../../src/replicate/copy-count.ts';
import type { MountRef } from '../../src/replicate/ref.ts';
import { createReplicator } from '../../src/replicate/replicate.ts';
import type { Routes } from '../../src/replicate/routes.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { fresh } from '../../src/serve/fresh.ts';
import { askForSweeps, createSweeps } from '../../src/serve/sweeps.ts';
import { createAsk } from '../../src/vault/ask.ts';
import { createSource } from '../../src/vault/source.ts';
import { startConsumer } from '../../src/worker/consumer.ts';
import { createGate, destinationPart, type Probe, VAULT } from '../../src/worker/gate.ts';
import { createLook } from '../../src/worker/look.ts';
import type { Account } from '../fakes/account.ts';
import type { FakeQueue } from '../fakes/queue.ts';
import { secretsManager } from './aws-client.ts';
import { type Ends, inbox, publisher, vaultClient } from './ports.ts';
import type { Process, Scheduler } from './scheduler.ts';

export interface WorkerWorld {
  readonly config: Config;
  readonly routes: Routes;
  readonly scheduler: Scheduler;
  readonly ends: Ends;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly queue: Pick<FakeQueue, 'publisher' | 'inbox'>;
  readonly deadLetters: Pick<FakeQueue, 'publisher'>;
  /** What the ingress knows of a mount. */
  readonly kvVersion: (mount: MountRef) => 1 | 2 | undefined;
  readonly log: (process: Process) => Log;
}

/** More than any simulation has. */
const MAX_SECRETS = 1_000;
const TOKEN = new Sensitive('a token');

/** One worker process: the parts of `serve`'s worker role, over the simulated ends. */
export function startWorker(world: WorkerWorld, process: Process): void {
  const { config, routes, scheduler, ends, accounts, queue, deadLetters } = world;
  const { signal } = unbounded();
  const clock = scheduler.clockOf(process);
  const log = world.log(process);
  const vault = config.vault.id;
  const metrics = {
    replicated: () => undefined,
    lag: () => undefined,
    failed: () => undefined,
    swept: () => undefined,
  };
  const reader = createAsk(
    vaultClient(ends, process),
    { current: async () => TOKEN, refresh: async () => false },
    { mounts: routes.mounts },
  );
  const source = createSource(reader, scheduler.wall, undefined, config.routes);
  const clients = new Map([...accounts].map(([name, account]) => [name, secretsManager(ends, process, account)]));
  const probes = new Map<string, Probe>([
    [VAULT, () => reader.checkToken()],
    ...[...clients].map(([name, client]): [string, Probe] => [
      destinationPart(name),
      () => listCopies(client, vault).next(),
    ]),
  ]);
  const limiter = () => createLimiter(config.worker.writesPerSecond, clock);
  const copies = (client: SecretsManagerClient) => createCopyCount(() => listCopies(client, vault), MAX_SECRETS, clock);
  const parts = [...clients].map(([name, client]) => {
    const limits = { versions: limiter(), creations: limiter(), tags: limiter() };
    return { name, destination: createSecretsManager({ client, onceClient: client, limits }), count: copies(client) };
  });
  const replicators = new Map(
    parts.map(({ name, destination, count }) => {
      const own = { vault, tags: {}, versionTag: true, copies: count };
      return [name, createReplicator({ source, destination, clock, log, fresh, ...own })];
    }),
  );
  const swept = new Map(parts.map(({ name, destination, count }) => [name, { destination, list: count.list }]));
  const gate = createGate({ probes, clock, log, signal });
  const receiving = inbox(ends, process, queue);
  const sending = publisher(ends, process, 'queue', queue);
  const shared = { config, routes, publisher: sending, source, gate, clock, log, metrics };
  const look = createLook({
    ...shared,
    vault,
    replicators,
    deadLetters: publisher(ends, process, 'letters', deadLetters),
    sweep: createSweeps({ ...shared, inbox: receiving, destinations: swept }, signal),
    maxReceives: config.queue.maxReceives,
    signal,
  });
  startConsumer({
    inbox: receiving,
    gate,
    clock,
    log,
    look,
    concurrency: config.worker.concurrency,
    visibility: config.queue.visibilityTimeout,
    beside: (group) => group === sweepGroup(vault),
  });
  void askForSweeps(shared, signal);
}

function unbounded(): AbortController {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  return stopping;
}
