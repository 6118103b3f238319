import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { createDirtyCopies, type Dirty } from '../../src/ingress/dirty.ts';
import { createSender } from '../../src/ingress/sender.ts';
import { createSweepRequests } from '../../src/ingress/sweep-request.ts';
import type { NotTaken, Outgoing } from '../../src/queue/ports.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createFakeQueue } from '../fakes/queue.ts';

/** A publisher whose calls end when the test says so. */
function createHeldPublisher() {
  const calls: {
    batch: readonly Outgoing[];
    end: (notTaken?: NotTaken[]) => Promise<void>;
    fail: () => Promise<void>;
  }[] = [];
  const send = (batch: readonly Outgoing[]) =>
    new Promise<readonly NotTaken[]>((resolve, reject) => {
      const end = (notTaken: NotTaken[] = []) => {
        resolve(notTaken);
        return setImmediate();
      };
      const fail = () => {
        reject(new ReplicationError('queue_unavailable', 'SQS answered SendMessageBatch with TimeoutError'));
        return setImmediate();
      };
      calls.push({ batch, end, fail });
    });
  return { publisher: { send }, calls };
}

function house(utilization = 0) {
  const clock = manualClock();
  const { log, lines, events } = recordingLog();
  const { publisher, calls } = createHeldPublisher();
  const sweeps = createSweepRequests('vault');
  const dirty = createDirtyCopies(100_000, (onQueued) => sweeps.ask('overflow', onQueued));
  const queued: string[] = [];
  const onQueued = ({ key }: Dirty) => void queued.push(key);
  const refused: string[] = [];
  const onRefused = (kind: string) => void refused.push(kind);
  const tell = { onQueued, onRefused };
  const sender = createSender({ publisher, dirty, sweeps, clock, log, ...tell, utilization: () => utilization });
  const add = (...keys: readonly string[]) => {
    for (const key of keys) dirty.add(copyOf(key));
    sender.flush();
  };
  const bodies = () => calls.map(({ batch }) => batch.map(({ body }) => body));
  const call = (index: number) => {
    const found = calls[index];
    if (found === undefined) throw new Error(`there was no call ${index}`);
    return found;
  };
  return { clock, lines, events, calls, call, bodies, sweeps, dirty, queued, refused, sender, add };
}

const copyOf = (key: string, auditTime = '1', body = key): Dirty => ({
  key,
  about: { ref: key, destination: 'default' },
  auditTime,
  telling: true,
  onQueued: [],
  message: { body, group: key, deduplicationId: `${key}-${auditTime}` },
});

const keys = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => String(from + index).padStart(3, '0'));

/** A stream of single changes, each of which goes at once, until they are so many that the next are gathered. */
async function hurry({ add, calls, clock }: ReturnType<typeof house>): Promise<void> {
  for (const key of keys(900, 911)) {
    await clock.advance(2);
    add(key);
    await calls.at(-1)?.end();
  }
  calls.length = 0;
}

t.test('what is dirty is sent at once, though something is still on its way', async (t) => {
  const { add, bodies, queued, call } = house();
  add('a');
  add('b', 'c');
  t.same(bodies(), [['a'], ['b', 'c']]);
  t.same(queued, []);
  await call(1).end();
  t.same(queued, ['b', 'c']);
});

t.test('sixteen batches of ten are in flight at most, and what is left goes 40 ms later', async (t) => {
  const { add, bodies, calls, call, clock } = house();
  add(...keys(0, 177));
  t.same(
    bodies(),
    Array.from({ length: 16 }, (_, batch) => keys(10 * batch, 10 * batch + 10)),
  );
  await clock.advance(40);
  t.equal(calls.length, 16, 'no sender is free');
  await call(2).end();
  t.same(bodies()[16], keys(160, 170));
  await call(0).end();
  t.equal(calls.length, 17, 'seven are no round');
  await clock.advance(40);
  t.same(bodies()[17], keys(170, 177));
});

t.test('of a steady stream the changes go in rounds, and none waits longer than 40 ms for others', async (t) => {
  const { add, bodies, calls, clock } = house();
  for (const key of keys(0, 50)) {
    await clock.advance(2);
    add(key);
    for (const { end } of calls) await end();
  }
  t.same(
    bodies().slice(0, 11),
    keys(0, 11).map((key) => [key]),
    'the first ones at once',
  );
  t.same(bodies().slice(11), [keys(11, 21), keys(21, 30)]);
  await clock.advance(1);
  t.equal(calls.length, 13);
  await clock.advance(1);
  t.same(bodies().slice(13), [keys(30, 40), keys(40, 50)]);
});

t.test('a round that is full waits for nothing', async (t) => {
  const hurried = house();
  await hurry(hurried);
  const { add, bodies } = hurried;
  add(...keys(0, 159));
  t.same(bodies(), []);
  add('last');
  t.equal(bodies().length, 16);
  t.same(bodies().flat(), [...keys(0, 159), 'last']);
});

t.test('once changes have become few, each goes at once again', async (t) => {
  const hurried = house();
  await hurry(hurried);
  const { add, bodies, clock } = hurried;
  add('a', 'b', 'c');
  t.same(bodies(), []);
  await clock.advance(40);
  add('d');
  t.same(bodies(), [['a', 'b', 'c'], ['d']]);
});

t.test('what somebody waits for goes at once, or as soon as a sender is free', async (t) => {
  const hurried = house();
  await hurry(hurried);
  const { add, bodies, calls, dirty, sender } = hurried;
  add('a');
  t.same(bodies(), []);
  for (const key of ['b', ...keys(0, 16)]) {
    dirty.add(copyOf(key));
    sender.flush(true);
  }
  t.same(bodies(), [['a', 'b'], ...keys(0, 15).map((key) => [key])]);
  await calls[0]?.end();
  t.same(bodies()[16], keys(15, 16));
  add('g');
  await calls[1]?.end();
  t.equal(calls.length, 17, 'nobody waits for the next');
});

t.test(
  'while the event loop is busy, lines go first: sixteen batches in 100 ms, and none at once after them',
  async (t) => {
    const { add, calls, call, clock, sender } = house(0.95);
    const end = async (from: number) => {
      for (let index = from; index < from + 16; index += 1) await call(index).end();
    };
    add(...keys(0, 405));
    t.equal(calls.length, 16);
    await end(0);
    t.equal(calls.length, 16);
    await clock.advance(99);
    t.equal(calls.length, 16);
    await clock.advance(1);
    t.equal(calls.length, 32);
    await end(16);
    t.equal(calls.length, 32);
    void sender.drained(); // whoever stops has no lines to read any more
    t.equal(calls.length, 41);
  },
);

t.test('a sweep request that goes while lines go first takes no changes along', async (t) => {
  const { add, calls, sweeps, sender } = house(0.95);
  add(...keys(0, 5));
  t.equal(calls.length, 1);
  add(...keys(5, 30));
  sweeps.ask('start');
  sender.flush();
  t.equal(calls.length, 2);
  t.match(calls[1]?.batch, [{ body: /"kind":"sweep"/ }]);
});

t.test('a batch keeps to the bytes that SQS takes', async (t) => {
  const { dirty, sender, bodies } = house();
  const large = 'x'.repeat(90 * 1024);
  for (const key of 'abc') dirty.add(copyOf(key, '1', large));
  sender.flush();
  t.same(
    bodies().map(({ length }) => length),
    [2, 1],
  );
});

t.test('while a copy is being sent, its next change waits, and then it goes', async (t) => {
  const { add, dirty, sender, bodies, call } = house();
  add('a');
  dirty.add(copyOf('a', '2', 'a again'));
  sender.flush();
  t.same(bodies(), [['a']]);
  await call(0).end();
  t.same(bodies(), [['a'], ['a again']]);
});

t.test('a failed call goes back whole; it is told once, and tried again after a pause, all together', async (t) => {
  const { add, bodies, calls, call, clock, lines, events, queued, sender } = house();
  add('a', 'b');
  t.equal(sender.reachable(), true);
  await call(0).fail();
  t.equal(sender.reachable(), false);
  add('c');
  await clock.advance(900);
  t.equal(calls.length, 1, 'nothing is sent in the pause');
  await clock.advance(700);
  t.same(bodies()[1], ['a', 'b', 'c']);
  await call(1).fail();
  t.same(events(), ['queue.unreachable']);
  await clock.advance(1_900);
  t.equal(calls.length, 2, 'the second pause is longer');
  await clock.advance(1_100);
  await call(2).end();
  t.same(events(), ['queue.unreachable', 'queue.reachable']);
  t.match(lines[0], { level: 'warn', err: { code: 'queue_unavailable' }, dirty: 2 });
  t.equal(sender.reachable(), true);
  t.same(queued, ['a', 'b', 'c']);
});

t.test('pauses grow to some ten seconds, no longer', async (t) => {
  const { add, calls, call, clock } = house();
  add('a');
  for (let tries = 0; tries < 8; tries += 1) {
    await call(tries).fail();
    await clock.advance(12_000);
    t.equal(calls.length, tries + 2);
  }
});

t.test('calls that fail together make one pause', async (t) => {
  const { add, calls, clock } = house();
  add(...keys(0, 41));
  for (const { fail } of [...calls]) await fail();
  t.equal(clock.sleepers, 1);
  await clock.advance(1_500);
  t.equal(calls.length, 10);
});

t.test('of a partly failed batch only what failed is sent again', async (t) => {
  const { add, bodies, call, queued, clock } = house();
  add('a', 'b', 'c');
  await call(0).end([{ index: 1, forGood: false }]);
  t.same(queued, ['a', 'c']);
  await clock.advance(2_000);
  t.same(bodies(), [['a', 'b', 'c'], ['b']]);
  await call(1).end();
  t.same(queued, ['a', 'c', 'b']);
});

t.test(
  'what SQS will never take is let go, counted and told, holds nothing up, and nobody hears that it is there',
  async (t) => {
    const { add, bodies, call, sender, dirty, clock, lines, queued, refused } = house();
    const told: string[] = [];
    for (const key of ['a', 'b']) dirty.add({ ...copyOf(key), onQueued: [() => told.push(key)] });
    add('c');
    await call(0).end([{ index: 0, forGood: true, code: 'InvalidMessageContents' }]);
    await clock.advance(60_000);
    t.same(bodies(), [['a', 'b', 'c']]);
    t.same([told, queued, refused], [['b'], ['b', 'c'], ['change']]);
    t.match(lines, [{ level: 'error', event: 'change.refused', ref: 'a', code: 'InvalidMessageContents' }]);
    t.equal(lines.length, 1);
    t.equal(dirty.size, 0);
    t.equal(sender.reachable(), true, 'SQS has judged it, and works');
    await sender.drained();
  },
);

t.test('SQS that answers and takes nothing counts as one that cannot be reached, and is told once', async (t) => {
  const { add, bodies, call, sender, clock, lines, events, queued } = house();
  const throttled = (...indices: readonly number[]) =>
    indices.map((index) => ({ index, forGood: false, code: 'RequestThrottled' }));
  add('a', 'b');
  await call(0).end(throttled(0, 1));
  t.equal(sender.reachable(), false);
  t.match(lines, [{ level: 'warn', event: 'queue.unreachable', code: 'RequestThrottled', dirty: 2 }]);
  await clock.advance(2_000);
  await call(1).end(throttled(0, 1));
  t.equal(events().length, 1);
  await clock.advance(3_000);
  await call(2).end(throttled(1));
  t.equal(sender.reachable(), true, 'a part is taken');
  t.same(events(), ['queue.unreachable', 'queue.reachable']);
  await clock.advance(2_000);
  await call(3).end();
  t.same(bodies(), [['a', 'b'], ['a', 'b'], ['a', 'b'], ['b']]);
  t.same(queued, ['a', 'b']);
});

t.test(
  'a request for a sweep that SQS will never take holds nothing up either, and tells nobody that it is there',
  async (t) => {
    const { sweeps, sender, call, calls, lines, clock, refused } = house();
    let told = 0;
    sweeps.ask('overflow', [() => (told += 1)]);
    const drained = sender.drained();
    await call(0).end([{ index: 0, forGood: true }]);
    await drained;
    await clock.advance(60_000);
    t.same([calls.length, told, refused], [1, 0, ['sweep']]);
    t.match(lines, [{ level: 'error', event: 'sweep.not_requested' }]);
  },
);

t.test('a request for a sweep goes alone and before everything else', async (t) => {
  const { sweeps, dirty, sender, bodies } = house();
  dirty.add(copyOf('a'));
  sweeps.ask('start');
  sender.flush();
  t.match(bodies(), [[/"kind":"sweep"/], ['a']]);
});

t.test('at most one request for a sweep in a second; the last one of a burst is not lost', async (t) => {
  const { sweeps, sender, calls, call, clock, add } = house();
  for (let asked = 0; asked < 50; asked += 1) {
    sweeps.ask('kv_version_unknown');
    sender.flush();
  }
  t.equal(calls.length, 1);
  add('a');
  t.equal(calls.length, 2, 'changes do not wait for it');
  await call(0).end();
  await clock.advance(999);
  t.equal(calls.length, 2);
  await clock.advance(1);
  t.equal(calls.length, 3);
  t.match(call(2).batch, [{ body: /kv_version_unknown/ }]);
});

t.test('a request for a sweep that failed is asked again, and whoever waits is told once it is sent', async (t) => {
  const { sweeps, sender, call, clock } = house();
  const told: string[] = [];
  sweeps.ask('overflow', [() => told.push('told')]);
  sender.flush();
  await call(0).fail();
  await clock.advance(2_000);
  await call(1).end([{ index: 0, forGood: false }]);
  t.same(told, []);
  await clock.advance(3_000);
  t.match(call(2).batch, [{ body: /overflow/ }]);
  await call(2).end();
  t.same(told, ['told']);
});

t.test('drained resolves once all is sent, a sweep request without its second of patience too', async (t) => {
  const { add, sweeps, sender, calls, call } = house();
  await sender.drained();
  sweeps.ask('start');
  sender.flush();
  sweeps.ask('connection');
  add('a');
  let drained = false;
  const done = sender.drained().then(() => {
    drained = true;
  });
  t.equal(calls.length, 3);
  await call(0).end();
  await call(1).end();
  t.equal(drained, false);
  await call(2).end();
  t.equal(drained, true);
  await done;
});

t.test('drained waits out an outage', async (t) => {
  const { add, sender, call, clock } = house();
  add('a');
  await call(0).fail();
  let drained = false;
  const done = sender.drained().then(() => {
    drained = true;
  });
  await clock.advance(1_500);
  t.equal(drained, false);
  await call(1).end();
  await done;
  t.equal(drained, true);
});

t.test('on a queue that keeps SQS rules all arrives, whatever fails', async (t) => {
  const clock = manualClock();
  const queue = createFakeQueue(clock);
  const sweeps = createSweepRequests('vault');
  const dirty = createDirtyCopies(1_000, () => {});
  const ports = { publisher: queue.publisher, clock, ...recordingLog() };
  const sender = createSender({ ...ports, dirty, sweeps, onQueued() {}, onRefused() {} });
  let calls = 0;
  queue.faults.call = () => {
    calls += 1;
    return calls % 3 === 0;
  };
  queue.faults.entry = ({ body }) => (body.endsWith('7') && calls < 30 ? { forGood: false } : undefined);
  for (const key of keys(0, 100)) dirty.add(copyOf(key));
  const done = sender.drained();
  await clock.advance(600_000);
  await done;
  t.same(queue.sent.map(({ body }) => body).sort(), keys(0, 100));
});
