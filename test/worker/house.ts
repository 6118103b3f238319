import { encodeMessage } from '../../src/queue/message.ts';
import type { SecretRef } from '../../src/replicate/ref.ts';
import type { createReplicator } from '../../src/replicate/replicate.ts';
import { createRoutes, messageGroup } from '../../src/replicate/routes.ts';
import { startConsumer } from '../../src/worker/consumer.ts';
import { createGate } from '../../src/worker/gate.ts';
import { createLook } from '../../src/worker/look.ts';
import type { ManualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createFakeQueue } from '../fakes/queue.ts';
import type { FakeSource } from '../fakes/source.ts';

export const KV = { namespace: '', mount: 'kv' };

type Queue = ReturnType<typeof createFakeQueue>;

/** The worker's consumer over a fake queue, as `serve` puts them together. */
export function startWorker(
  clock: ManualClock,
  replicate: ReturnType<typeof createReplicator>,
  queue: Queue,
  concurrency = 2,
) {
  const { log, events } = recordingLog();
  const { signal } = new AbortController();
  const up = async () => true;
  const probes = new Map([
    ['vault', up],
    ['destinations.aws', up],
  ]);
  const gate = createGate({ probes, clock, log, signal });
  const route = { name: 'kv', ...KV, to: ['aws'], include: ['**'], exclude: [], as: '{mount}/{path}' };
  const deadLetters = createFakeQueue(clock);
  const look = createLook({
    gate,
    signal,
    vault: 'vault',
    routes: createRoutes([route], { aws: {} }),
    replicators: new Map([['aws', replicate]]),
    deadLetters: deadLetters.publisher,
    sweep: async () => ({ acknowledge: [], hide: [] }),
    maxReceives: 10,
    clock,
    log,
    metrics: { replicated: () => undefined, lag: () => undefined, failed: () => undefined },
  });
  const beside = () => false;
  const consumer = startConsumer({
    inbox: queue.inbox,
    gate,
    clock,
    log,
    concurrency,
    visibility: 30_000,
    beside,
    look,
  });
  const stop = async () => {
    const stopped = consumer.stop();
    await clock.advance(10_000);
    await stopped;
  };
  return { stop, events, deadLetters };
}

/** Writes to Vault and tells of it, as the ingress does. */
export function writer(vault: FakeSource, queue: Queue) {
  let sent = 0;
  return async (ref: SecretRef, value: string) => {
    const { version, createdTime } = vault.write(ref, value);
    const where = { vault: 'vault', ...ref, route: 'kv', destination: 'aws', origin: 'audit' } as const;
    const body = encodeMessage({ v: 1, kind: 'change', ...where, version, createdTime });
    sent += 1;
    const group = messageGroup({}, `kv/${ref.path}`);
    await queue.publisher.send([{ group, body, deduplicationId: String(sent) }]);
  };
}
