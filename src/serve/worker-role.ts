import { setMaxListeners } from 'node:events';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { createDepths } from '../admin/depths.ts';
import type { Gauges, Metrics } from '../admin/metrics.ts';
import type { Part } from '../admin/readiness.ts';
import { secretsManagerClient } from '../aws/clients.ts';
import { listCopies } from '../aws/copies.ts';
import { createSecretsManager } from '../aws/secrets-manager.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { createLimiter } from '../limiter.ts';
import type { Log } from '../log.ts';
import { sweepGroup } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';
import { createInbox, createPublisher, queueAttributes } from '../queue/sqs.ts';
import { type CopyCount, createCopyCount } from '../replicate/copy-count.ts';
import type { Destination, ListedCopy } from '../replicate/destination.ts';
import { createReplicator } from '../replicate/replicate.ts';
import type { Routes } from '../replicate/routes.ts';
import type { VaultSource } from '../vault/source.ts';
import { type Consumer, startConsumer } from '../worker/consumer.ts';
import { createGate, destinationPart, type Probe, VAULT } from '../worker/gate.ts';
import { createLook } from '../worker/look.ts';
import { fresh } from './fresh.ts';
import { checkUntilAnswered } from './queue-check.ts';
import { askForSweeps, createSweeps, type SweptEnd } from './sweeps.ts';

export interface WorkerParts {
  readonly config: Config;
  readonly routes: Routes;
  readonly sqs: SQSClient;
  readonly publisher: Publisher;
  readonly source: VaultSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface WorkerRole {
  /** Runs until `close`; rejects with QueueUnfit when the queues can never work. */
  run(): Promise<void>;
  /** Ends the running looks, and gives back what was not looked at. */
  close(): Promise<void>;
  readonly parts: readonly Part[];
  readonly gauges: Gauges;
}

/** message -> ref -> source state -> decide -> apply -> acknowledge. */
export function createWorkerRole(parts: WorkerParts): WorkerRole {
  const { config, sqs } = parts;
  const { queue, vault, worker } = config;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // every look of an outage waits for it
  const clients = clientsOf(config);
  const counts = countsOf(parts, clients);
  const destinations = destinationsOf(parts, clients);
  const { signal } = stopping;
  const inbox = createInbox(sqs, queue.url, Math.round(queue.visibilityTimeout / 1000));
  const probes = probesOf(parts, clients);
  const gate = createGate({ ...parts, probes, signal });
  const queues = depthsOf(parts);
  const look = createLook({
    ...parts,
    vault: vault.id,
    replicators: replicators(parts, destinations, counts),
    deadLetters: createPublisher(sqs, queue.deadLetterUrl),
    sweep: createSweeps({ ...parts, gate, inbox, destinations: sweptEnds(destinations, counts) }, signal),
    maxReceives: queue.maxReceives,
    gate,
    signal,
  });
  const seams = { inbox, gate, look, beside: (group: string) => group === sweepGroup(vault.id) };
  let consumer: Consumer | undefined;
  const run = async () => {
    const checking = checkUntilAnswered(parts, signal);
    await checking.firstTry;
    if (signal.aborted) return;
    const { concurrency } = worker;
    consumer = startConsumer({ ...parts, ...seams, concurrency, visibility: queue.visibilityTimeout });
    await Promise.all([checking.answered, consumer.stopped, askForSweeps(parts, signal)]);
  };
  return {
    run,
    async close() {
      stopping.abort();
      await consumer?.stop();
    },
    parts: workerParts(parts, probes, () => consumer?.receiving() ?? false),
    gauges: {
      oldestSentAt: () => consumer?.inFlight.oldestSentAt(),
      paused: () => new Map([['queue', consumer?.receiving() === false], ...gate.parts()]),
      queues,
    },
  };
}

type Clients = ReadonlyMap<string, SecretsManagerClient>;

const clientsOf = ({ destinations }: Config): Clients =>
  new Map(Object.entries(destinations).map(([name, address]) => [name, secretsManagerClient(address, 3)]));

type Counts = ReadonlyMap<string, CopyCount<ListedCopy>>;

/** The creations and the sweeps of a destination share one count of its copies. */
const countsOf = ({ config, clock }: WorkerParts, clients: Clients): Counts =>
  new Map(
    [...clients].map(([name, client]) => {
      const max = config.destinations[name]?.maxSecrets ?? 0;
      return [name, createCopyCount(() => listCopies(client, config.vault.id), max, clock)];
    }),
  );

const sweptEnds = (destinations: Destinations, counts: Counts): ReadonlyMap<string, SweptEnd> =>
  new Map([...counts].flatMap(([name, { list }]) => endOf(name, destinations.get(name), list)));

const endOf = (name: string, destination: Destination | undefined, list: SweptEnd['list']) =>
  destination === undefined ? [] : [[name, { destination, list }] as const];

const depthsOf = ({ config: { queue }, sqs, clock }: WorkerParts) =>
  createDepths({
    queue: () => queueAttributes(sqs, queue.url),
    deadLetters: () => queueAttributes(sqs, queue.deadLetterUrl),
    clock,
  });

const probesOf = ({ config, source }: WorkerParts, clients: Clients) =>
  new Map<string, Probe>([
    [VAULT, () => source.ping()],
    ...[...clients].map(([name, client]): [string, Probe] => [
      destinationPart(name),
      () => listCopies(client, config.vault.id).next(),
    ]),
  ]);

type Destinations = ReadonlyMap<string, Destination>;

/** Each with limiters of its own: no two destinations are in one account and region. */
function destinationsOf({ config, clock }: WorkerParts, clients: Clients): Destinations {
  const limiter = () => createLimiter(config.worker.writesPerSecond, clock);
  return new Map(
    [...clients].map(([name, client]) => {
      const { kmsKeyId, ...address } = config.destinations[name] ?? {};
      const options = {
        ...{ client, onceClient: secretsManagerClient(address, 1) },
        limits: { versions: limiter(), creations: limiter(), tags: limiter() },
        ...(kmsKeyId !== undefined && { kmsKeyId }),
      };
      return [name, createSecretsManager(options)];
    }),
  );
}

function replicators({ config, source, clock, log }: WorkerParts, destinations: Destinations, counts: Counts) {
  return new Map(
    [...destinations].map(([name, destination]) => {
      const { tags = {}, versionTag = true } = config.destinations[name] ?? {};
      const copies = counts.get(name);
      const own = { vault: config.vault.id, tags, versionTag, ...(copies !== undefined && { copies }) };
      return [name, createReplicator({ source, destination, clock, log, fresh, ...own })];
    }),
  );
}

function workerParts(
  { config, sqs }: WorkerParts,
  probes: ReadonlyMap<string, Probe>,
  receiving: () => boolean,
): readonly Part[] {
  const asked = [...probes].map(([name, able]) => ({ name, able }));
  const queues: readonly Part[] = [
    { name: 'queue', able: async () => receiving() && Boolean(await queueAttributes(sqs, config.queue.url)) },
    { name: 'queue.deadLetters', able: () => queueAttributes(sqs, config.queue.deadLetterUrl) },
  ];
  return [...asked.slice(0, 1), ...queues, ...asked.slice(1)];
}
