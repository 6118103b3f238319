import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Gauges, Metrics } from '../admin/metrics.ts';
import type { Part } from '../admin/readiness.ts';
import { secretsManagerClient } from '../aws/clients.ts';
import { listCopies } from '../aws/copies.ts';
import { createSecretsManager } from '../aws/secrets-manager.ts';
import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { createLimiter } from '../limiter.ts';
import type { Log } from '../log.ts';
import { checkQueues } from '../queue/check.ts';
import { sweepGroup } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';
import { createInbox, createPublisher, queueAttributes } from '../queue/sqs.ts';
import { createReplicator } from '../replicate/replicate.ts';
import type { Routes } from '../replicate/routes.ts';
import { createSweepServer } from '../sweep/requests.ts';
import { sweep } from '../sweep/sweep.ts';
import { sweepTimer } from '../sweep/timer.ts';
import type { VaultSource } from '../vault/source.ts';
import { type Consumer, startConsumer } from '../worker/consumer.ts';
import { createLook } from '../worker/look.ts';

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

/** The queues are not what the worker needs; `problems` say what to mend. */
export class QueueUnfit extends Error {
  override name = 'QueueUnfit';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** message -> ref -> source state -> decide -> apply -> acknowledge. */
export function createWorkerRole(parts: WorkerParts): WorkerRole {
  const { config, sqs } = parts;
  const { queue, vault, worker } = config;
  const stopping = new AbortController();
  const clients = new Map(
    Object.entries(config.destinations).map(([name, address]) => [name, secretsManagerClient(address, 3)]),
  );
  const inbox = createInbox(sqs, queue.url, Math.round(queue.visibilityTimeout / 1000));
  const look = createLook({
    ...parts,
    vault: vault.id,
    replicators: replicators(parts, clients),
    deadLetters: createPublisher(sqs, queue.deadLetterUrl),
    sweep: sweeps(parts, clients, inbox.depth, stopping.signal),
    maxReceives: queue.maxReceives,
  });
  const beside = (group: string) => group === sweepGroup(vault.id);
  let consumer: Consumer | undefined;
  const run = async () => {
    const checking = checkUntilAnswered(parts, stopping.signal);
    await checking.firstTry;
    consumer = startConsumer({
      ...parts,
      inbox,
      concurrency: worker.concurrency,
      visibility: queue.visibilityTimeout,
      beside,
      look,
    });
    const timer = sweepTimer({ ...parts, vault: vault.id }, config.sweep.every, stopping.signal);
    await Promise.all([checking.answered, consumer.stopped, timer]);
  };
  return {
    run,
    async close() {
      stopping.abort();
      await consumer?.stop();
    },
    parts: workerParts(parts, clients, () => consumer?.receiving() ?? false),
    gauges: {
      oldestSentAt: () => consumer?.inFlight.oldestSentAt(),
      paused: () => consumer !== undefined && !consumer.receiving(),
    },
  };
}

type Clients = ReadonlyMap<string, SecretsManagerClient>;

/** One for each destination, with limiters of its own: no two destinations are in one account and region. */
function replicators({ config, source, clock }: WorkerParts, clients: Clients) {
  const limiter = () => createLimiter(config.worker.writesPerSecond, clock);
  return new Map(
    Object.entries(config.destinations).map(([name, settings]) => {
      const destination = createSecretsManager({
        client: clients.get(name) ?? secretsManagerClient(settings, 3),
        onceClient: secretsManagerClient(settings, 1),
        limits: { versions: limiter(), creations: limiter(), tags: limiter() },
        ...(settings.kmsKeyId !== undefined && { kmsKeyId: settings.kmsKeyId }),
      });
      const { tags, versionTag } = settings;
      return [name, createReplicator({ source, destination, clock, vault: config.vault.id, tags, versionTag })];
    }),
  );
}

function sweeps(
  { config, source, routes, publisher, clock, log, metrics }: WorkerParts,
  clients: Clients,
  depth: Parameters<typeof createSweepServer>[0]['depth'],
  signal: AbortSignal,
) {
  const vault = config.vault.id;
  const copies = async function* () {
    for (const client of clients.values()) yield* listCopies(client, vault);
  };
  const { mounts } = routes;
  const run = (some: typeof mounts, ending: AbortSignal) =>
    sweep({ vault, source, routes, copies, publisher, depth, clock, log }, some, ending);
  return createSweepServer({ mounts, run, depth, minGap: config.sweep.minGap, clock, log, metrics }, signal);
}

/** Asks again until SQS answers: it may be down or closed to us. Unfit queues end the worker, a doubt is only told. */
function checkUntilAnswered({ config: { queue }, sqs, clock, log }: WorkerParts, signal: AbortSignal) {
  const check = async (tries: number): Promise<boolean> => {
    try {
      const [{ attributes }, deadLetters] = await Promise.all([
        queueAttributes(sqs, queue.url),
        queueAttributes(sqs, queue.deadLetterUrl),
      ]);
      const expected = { maxReceives: queue.maxReceives, visibility: queue.visibilityTimeout };
      const { errors, warnings } = checkQueues(attributes, deadLetters.attributes, expected);
      for (const text of warnings) log.warn({ event: 'queue.check', text });
      if (errors.length > 0) throw new QueueUnfit(errors);
      return true;
    } catch (error) {
      if (error instanceof QueueUnfit) throw error;
      if (tries === 1) log.warn({ event: 'queue.unreachable', err: error });
      return false;
    }
  };
  const firstTry = check(1);
  const answered = (async () => {
    let done = await firstTry;
    for (let tries = 2; !done && !signal.aborted; tries += 1) {
      await clock.sleep(backoff(tries, Math.random()) * 1000, signal);
      if (!signal.aborted) done = await check(tries);
    }
  })();
  return { firstTry, answered };
}

const workerParts = (
  { config, sqs, source }: WorkerParts,
  clients: Clients,
  receiving: () => boolean,
): readonly Part[] => [
  { name: 'vault', able: () => source.ping() },
  { name: 'queue', able: async () => receiving() && Boolean(await queueAttributes(sqs, config.queue.url)) },
  { name: 'queue.deadLetters', able: () => queueAttributes(sqs, config.queue.deadLetterUrl) },
  ...[...clients].map(([name, client]) => ({
    name: `destinations.${name}`,
    able: () => listCopies(client, config.vault.id).next(),
  })),
];
