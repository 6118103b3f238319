import t from 'tap';
import { type ChangeMessage, parseMessage } from '../../src/queue/message.ts';
import { formatRef } from '../../src/replicate/ref.ts';
import { createRoutes } from '../../src/replicate/routes.ts';
import { createFindings } from '../../src/sweep/findings.ts';
import { manualClock } from '../fakes/clock.ts';
import { createFakeQueue } from '../fakes/queue.ts';
import { at, route, VAULT } from './house.ts';

function house(to: readonly string[] = ['eu']) {
  const clock = manualClock();
  const queue = createFakeQueue(clock);
  const ending = new AbortController();
  const regions = Object.fromEntries(['eu', 'us', 'ap'].map((region) => [region, { region }]));
  const routes = createRoutes([route('kv', to)], regions);
  const options = { vault: VAULT, publisher: queue.publisher, depth: queue.inbox.depth, clock };
  /** Adds all copies of all paths; resolves to how many were sent. */
  const add = async (...paths: readonly string[]) => {
    const findings = createFindings(options, ending.signal);
    for (const path of paths) for (const target of routes.targets(at(path))) await findings.add(at(path), target);
    return findings.end();
  };
  const found = () => queue.sent.map(({ body }) => parseMessage(body, VAULT) as ChangeMessage);
  const refs = () => found().map((message) => `${formatRef(message)} -> ${message.destination}`);
  return { clock, queue, ending, add, found, refs };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `s${String(index).padStart(4, '0')}`);

t.test('a finding is a reference to one copy, and all of a sweep have its id', async (t) => {
  const { add, found, refs, queue } = house(['eu', 'us']);
  t.equal(await add('a', 'b'), 4);
  t.same(refs(), ['kv/a -> eu', 'kv/a -> us', 'kv/b -> eu', 'kv/b -> us']);
  const [first] = found();
  t.match(first, { origin: 'sweep', route: 'kv', sweepId: /^[0-9a-f-]{36}$/ });
  t.notOk('version' in (first ?? {}));
  t.equal(new Set(found().map(({ sweepId }) => sweepId)).size, 1);
  t.equal(new Set(queue.sent.map(({ deduplicationId }) => deduplicationId)).size, 4);
});

t.test('two sweeps within five minutes both reach the queue', async (t) => {
  const { add, queue } = house();
  await add('a');
  await add('a');
  t.equal(queue.sent.length, 2);
});

t.test('it adds nothing while 500 messages are visible, so that a fresh write never waits behind it', async (t) => {
  for (const to of [['eu'], ['eu', 'us', 'ap']]) {
    const { add, queue, clock } = house(to);
    let most = 0;
    const { send } = queue.publisher;
    queue.publisher.send = async (batch) => {
      most = Math.max(most, (await queue.inbox.depth()).visible);
      return send(batch);
    };
    const added = add(...names(800));
    await clock.advance(60_000);
    t.ok(most >= 480 && most < 620, `at most ${most} were visible`);
    const { length } = queue.stored();
    await clock.advance(60_000);
    t.equal(queue.stored().length, length, 'it waits');
    for (let rounds = 0; queue.sent.length < 800 * to.length || queue.stored().length > 0; rounds += 1) {
      if (rounds > 2_000) throw new Error('it does not go on');
      if (queue.stored().length > 0) await queue.inbox.acknowledge(await queue.inbox.receive(10));
      await clock.advance(1_000);
    }
    t.equal(await added, 800 * to.length);
    t.ok(most < 620, `at most ${most} were visible`);
  }
});

t.test('the depth is asked for as often when some findings are not taken', async (t) => {
  const { add, queue, clock } = house();
  queue.faults.entry = ({ body }) => (body.includes('s0003') ? { forGood: true } : undefined);
  void add(...names(800));
  await clock.advance(60_000);
  t.ok(queue.stored().length < 620, `${queue.stored().length} are visible`);
});

t.test('what SQS did not take is sent again after a pause; what it never takes is left, and not counted', async (t) => {
  const { add, queue, clock, refs } = house();
  let calls = 0;
  queue.faults.entry = ({ body }) => {
    if (body.includes('"b"')) return { forGood: true };
    if (!body.includes('"c"')) return undefined;
    calls += 1;
    return calls < 3 ? { forGood: false } : undefined;
  };
  const added = add('a', 'b', 'c');
  await clock.advance(900);
  t.equal(calls, 1);
  await clock.advance(1_200);
  t.equal(await added, 2);
  t.same(refs(), ['kv/a -> eu', 'kv/c -> eu']);
});

t.test('a queue that fails ends it', async (t) => {
  const { add, queue } = house();
  queue.faults.call = (operation) => operation === 'send';
  await t.rejects(add('a'), { code: 'queue_unavailable' });
});

t.test('it ends when told to: while it waits, while it retries', async (t) => {
  const waiting = house();
  const waits = waiting.add(...names(900));
  await waiting.clock.advance(10_000);
  waiting.ending.abort();
  await t.rejects(waits, { name: 'AbortError' });
  t.equal(waiting.clock.sleepers, 0);
  const retrying = house();
  retrying.queue.faults.entry = () => ({ forGood: false });
  const retries = retrying.add('a');
  await retrying.clock.advance(10_000);
  retrying.ending.abort();
  await t.rejects(retries, { name: 'AbortError' });
});
