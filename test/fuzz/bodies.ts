import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Received } from '../../src/queue/ports.ts';
import { createReplicator } from '../../src/replicate/replicate.ts';
import { createRoutes } from '../../src/replicate/routes.ts';
import { createGate } from '../../src/worker/gate.ts';
import { createLook } from '../../src/worker/look.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createFakeQueue } from '../fakes/queue.ts';
import { fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { fakeSource } from '../fakes/source.ts';
import { CANARY, NASTY_BODIES } from './corpus.ts';

const KV = { namespace: '', mount: 'kv' };
const ROUTE = { ...KV, name: 'kv', include: ['**'], exclude: [], to: ['default'], as: '{mount}/{path}' };

/** A worker whose Vault holds canaries. `look` never throws; each message is settled; no canary leaves but as a value. */
export function createWorker() {
  const clock = manualClock();
  const source = fakeSource(clock, KV);
  const destination = fakeSecretsManager();
  const letters = createFakeQueue(clock);
  const { log, lines } = recordingLog();
  const { signal } = new AbortController();
  for (const path of ['a', '__proto__', 'x'.repeat(600)])
    source.write({ ...KV, path }, JSON.stringify({ key: CANARY }));
  source.write({ ...KV, path: 'large' }, JSON.stringify(CANARY.repeat(10_000)));
  const probes = new Map(['vault', 'destinations.default'].map((part) => [part, async () => undefined]));
  const own = { vault: 'vault', tags: {}, versionTag: true, fresh: () => '0'.repeat(24) };
  const replicate = createReplicator({ source, destination, clock, ...own });
  const look = createLook({
    gate: createGate({ probes, clock, log, signal }),
    signal,
    vault: 'vault',
    routes: createRoutes([ROUTE], { default: {} }),
    replicators: new Map([['default', replicate]]),
    deadLetters: letters.publisher,
    sweep: async (requests) => ({ acknowledge: requests.map(({ received }) => received), hide: [] }),
    maxReceives: 10,
    clock,
    log,
    metrics: { replicated: () => undefined, lag: () => undefined, failed: () => undefined },
  });
  return async (bodies: readonly string[]): Promise<void> => {
    const messages = bodies.map((body, i): Received => {
      return { id: `m${i}`, receipt: `r${i}`, body, group: 'g', receives: 1, sentAt: clock.now() };
    });
    const { acknowledge, hide, wait = [] } = await look(messages);
    const settled = [acknowledge, ...hide.map((some) => some.messages), ...wait.map((some) => some.messages)].flat();
    assert.deepEqual(settled.map(({ id }) => id).sort(), messages.map(({ id }) => id).sort(), 'each is settled once');
    const told = letters.sent.map(({ attributes, body }) => [attributes, bodies.includes(body) ? '' : body]);
    assert.ok(!JSON.stringify([told, lines]).includes(CANARY), 'no value is parked or logged');
    for (const name of ['kv/a', 'kv/__proto__'].filter(destination.has)) {
      const { description, tags } = destination.secret(name);
      assert.ok(!JSON.stringify([description, ...tags]).includes(CANARY), 'no value is in a tag');
    }
  };
}

const text = fc.oneof(
  fc.constantFrom('a', 'large', 'missing', '__proto__', 'kv', 'default', ''),
  fc.string({ unit: 'binary' }),
);
const time = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  text,
);
/** Mostly what it should be, so that most messages come to a look. */
const mostly = (right: unknown, ...wrong: readonly unknown[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(right) },
    { weight: 1, arbitrary: wrong.length > 0 ? fc.constantFrom(...wrong) : text },
  );
const message = fc.record({
  v: mostly(1, 2, '1', null),
  kind: mostly('change', 'sweep', 'x'),
  vault: mostly('vault'),
  namespace: mostly(''),
  mount: mostly('kv'),
  path: text,
  route: mostly('kv'),
  destination: mostly('default'),
  origin: fc.constantFrom('audit', 'sweep', 'operator', 'gap', 'timer'),
});
const hints = fc.record(
  { version: fc.oneof(fc.nat(), fc.double()), createdTime: time, auditTime: time, requestId: text, kv: fc.nat(3) },
  { requiredKeys: [] },
);
const body = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(message, hints).map((parts) => JSON.stringify(Object.assign({}, ...parts))) },
  { weight: 2, arbitrary: fc.constantFrom(...NASTY_BODIES) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

/** What the queue may hold, through one look of the worker. */
export const bodies = fc.asyncProperty(fc.array(body, { maxLength: 10 }), (some) => createWorker()(some));
