import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { Inbox, Received } from '../../src/queue/ports.ts';
import { startConsumer } from '../../src/worker/consumer.ts';
import { createGate } from '../../src/worker/gate.ts';
import type { Settlement } from '../../src/worker/settlement.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createOutages, unreachable } from '../fakes/outages.ts';
import { createFakeQueue } from '../fakes/queue.ts';

const HOUR = 3_600_000;

interface Running {
  readonly group: string;
  readonly bodies: readonly string[];
  readonly messages: readonly Received[];
  end(settlement?: Settlement): Promise<void>;
  fail(): Promise<void>;
}

/** Longer than a receive waits for looks that are under way, in ms. */
const A_MOMENT = 60;

interface Settings {
  readonly concurrency?: number;
  readonly inbox?: (inbox: Inbox) => Inbox;
}

/** A consumer whose looks end when the test says so. */
function house({ concurrency = 4, inbox = (same) => same }: Settings = {}) {
  const clock = manualClock();
  const queue = createFakeQueue(clock);
  const outages = createOutages(['vault', 'destinations.a', 'destinations.b']);
  const { log, lines, events } = recordingLog();
  const running: Running[] = [];
  const seen: string[] = [];
  const look = (messages: readonly Received[]) =>
    new Promise<Settlement>((resolve, reject) => {
      const bodies = messages.map(({ body }) => body);
      const over = () => {
        running.splice(running.indexOf(current), 1);
        return setImmediate();
      };
      const current: Running = {
        group: messages[0]?.group ?? '',
        bodies,
        messages,
        end(settlement = { acknowledge: messages, hide: [] }) {
          resolve(settlement);
          return over();
        },
        fail() {
          reject(new Error('canary'));
          return over();
        },
      };
      seen.push(...bodies);
      running.push(current);
    });
  const beside = (group: string) => group === 'sweeps';
  const probing = new AbortController();
  const gate = createGate({ probes: outages.probes, clock, log, signal: probing.signal });
  const options = { inbox: inbox(queue.inbox), gate, clock, log, concurrency, visibility: 30_000, beside, look };
  const consumer = startConsumer(options);
  let sends = 0;
  const send = async (...messages: readonly (readonly [group: string, body: string])[]) => {
    sends += 1;
    await queue.publisher.send(
      messages.map(([group, body], index) => ({ group, body, deduplicationId: `${sends}-${index}` })),
    );
    await clock.advance(A_MOMENT);
  };
  const groups = () => running.map(({ group }) => group).sort();
  const one = (group: string): Running => {
    const found = running.find((look) => look.group === group);
    if (found === undefined) throw new Error(`no look at ${group} is going on`);
    return found;
  };
  /** Ends every look at once, as they come. */
  const endAll = async () => {
    while (running.length > 0) {
      await running[0]?.end();
      await clock.advance(A_MOMENT);
    }
  };
  const stop = async () => {
    probing.abort();
    const stopped = consumer.stop();
    await endAll();
    await clock.advance(40_000);
    await stopped;
  };
  return { clock, queue, outages, gate, lines, events, running, seen, consumer, send, groups, one, endAll, stop };
}

t.test('groups are looked at side by side, up to the concurrency; then nothing more is received', async (t) => {
  const { send, groups, one, queue, clock, stop } = house({ concurrency: 2 });
  await send(['a', '1']);
  await send(['b', '1']);
  await send(['c', '1']);
  t.same(groups(), ['a', 'b']);
  t.equal((await queue.inbox.depth()).visible, 1);
  await one('a').end();
  await clock.advance(A_MOMENT);
  t.same(groups(), ['b', 'c']);
  t.same(
    queue.stored().map(({ group }) => group),
    ['b', 'c'],
  );
  await stop();
});

t.test('messages of one group come to one look, in order, and later ones wait for its end', async (t) => {
  const { send, running, one, clock, seen, stop } = house();
  await send(['a', '1'], ['b', '1'], ['a', '2'], ['a', '3']);
  t.same(
    running.map(({ group, bodies }) => [group, ...bodies]),
    [
      ['a', '1', '2', '3'],
      ['b', '1'],
    ],
  );
  await send(['a', '4']);
  t.equal(running.length, 2);
  await one('a').end();
  await clock.advance(A_MOMENT);
  t.same(one('a').bodies, ['4']);
  t.same(seen, ['1', '2', '3', '1', '4']);
  await stop();
});

t.test('a group that SQS hands out a second time is not looked at by two at once', async (t) => {
  const { send, clock, queue, running, one, stop } = house({ inbox: (inbox) => ({ ...inbox, hide: async () => {} }) });
  await send(['a', '1']);
  await clock.advance(31_000); // no heartbeat gets through
  t.equal(queue.stored()[0]?.receives, 2);
  t.equal(running.length, 1);
  const first = one('a');
  await first.end();
  await clock.advance(A_MOMENT);
  t.equal(running.length, 1);
  t.not(one('a'), first);
  await stop();
  t.same(queue.stored(), []);
});

t.test('a sweep takes no place', async (t) => {
  const { send, groups, stop } = house({ concurrency: 1 });
  await send(['sweeps', '1']);
  await send(['a', '1']);
  t.same(groups(), ['a', 'sweeps']);
  await send(['b', '1']);
  t.same(groups(), ['a', 'sweeps']);
  await stop();
});

t.test('heartbeats keep what is looked at hidden for hours, and end 11 hours after the receive', async (t) => {
  const { send, clock, queue, running, stop } = house();
  await send(['a', '1']);
  for (let hours = 0; hours < 10; hours += 1) {
    await clock.advance(HOUR);
    t.equal(queue.stored()[0]?.receives, 1);
  }
  await clock.advance(HOUR - 60_000);
  t.equal(queue.stored()[0]?.receives, 1);
  const { hiddenUntil = 0 } = queue.stored()[0] ?? {};
  t.ok(hiddenUntil - clock.now() <= 60_000, 'not hidden past 11 h');
  await clock.advance(61_000);
  t.equal(queue.stored()[0]?.receives, 2);
  t.equal(running.length, 1);
  await stop();
});

t.test('what is settled is acknowledged, hidden or given back, and no heartbeat undoes it', async (t) => {
  const { send, clock, queue, consumer, one, stop } = house({ concurrency: 1 });
  await send(['a', '1']);
  const [message] = queue.stored();
  const look = one('a');
  t.equal(consumer.inFlight.oldestSentAt(), message?.sentAt);
  await look.end({ acknowledge: [], hide: [{ messages: look.messages, seconds: 100 }] });
  await clock.advance(99_000);
  t.equal(queue.stored()[0]?.receives, 1);
  await clock.advance(1_000);
  t.equal(queue.stored()[0]?.receives, 2);
  await stop();
});

t.test('a failure to receive pauses and resumes, with one line each', async (t) => {
  const { clock, queue, lines, events, consumer, send, groups, stop } = house();
  await clock.advance(A_MOMENT);
  t.equal(consumer.receiving(), true);
  let calls = 0;
  queue.faults.call = (operation) => {
    if (operation === 'receive') calls += 1;
    return operation === 'receive';
  };
  await clock.advance(5_000);
  t.equal(consumer.receiving(), false);
  await clock.advance(120_000);
  t.ok(calls >= 5 && calls <= 12, `${calls} calls in two minutes`);
  t.match(lines, [{ level: 'warn', event: 'consumer.paused', reason: 'queue', err: { code: 'queue_unavailable' } }]);
  queue.faults.call = undefined;
  await send(['a', '1']);
  await clock.advance(60_000);
  t.same(groups(), ['a']);
  t.same(events(), ['consumer.paused', 'consumer.resumed']);
  t.equal(consumer.receiving(), true);
  await stop();
});

t.test('what cannot be settled comes again by itself, and others go on', async (t) => {
  const { clock, queue, lines, send, one, groups, stop } = house();
  queue.faults.call = (operation) => operation === 'acknowledge' || operation === 'hide';
  await send(['a', '1']);
  await one('a').end();
  t.match(lines, [{ level: 'warn', event: 'queue.unsettled', err: { code: 'queue_unavailable' } }]);
  await send(['b', '1']);
  t.same(groups(), ['b']);
  await clock.advance(30_000);
  t.ok(groups().includes('a'));
  queue.faults.call = undefined;
  await stop();
});

t.test('a heartbeat that fails is told, and the next one is sent', async (t) => {
  const { clock, queue, events, send, stop } = house();
  await send(['a', '1']);
  queue.faults.call = (operation) => operation === 'hide';
  await clock.advance(10_000);
  queue.faults.call = undefined;
  await clock.advance(60_000);
  t.same(events(), ['queue.heartbeat_failed']);
  t.equal(queue.stored()[0]?.receives, 1);
  await stop();
});

t.test('a look that throws ends neither the consumer nor its place', async (t) => {
  const { clock, queue, events, send, one, groups, stop } = house({ concurrency: 1 });
  await send(['a', '1']);
  await one('a').fail();
  await send(['b', '1']);
  t.same(groups(), ['b']);
  t.same(events(), ['queue.unsettled']);
  await one('b').end();
  await clock.advance(30_000);
  t.equal(queue.stored()[0]?.receives, 2);
  await stop();
});

t.test('stop lets the running poll and the running looks end; what the poll brings is given back', async (t) => {
  const { clock, queue, send, one, consumer, seen } = house();
  await send(['a', '1']);
  let stopped = false;
  const done = consumer.stop().then(() => {
    stopped = true;
  });
  await send(['b', '1']);
  t.same(seen, ['1'], 'b is not looked at');
  const [, b] = queue.stored();
  t.match(b, { group: 'b', receives: 1 });
  t.ok((b?.hiddenUntil ?? 0) <= clock.now(), 'b is given back at once');
  await clock.advance(12_000);
  t.equal(stopped, false, 'the look at a is waited for');
  t.ok((queue.stored()[0]?.hiddenUntil ?? 0) > clock.now() + 15_000, 'and kept hidden');
  await one('a').end();
  await done;
  t.same(
    queue.stored().map(({ group }) => group),
    ['b'],
  );
  t.equal(clock.sleepers, 0, 'nothing is left behind');
});

t.test('stop of an idle consumer takes one long poll at most', async (t) => {
  const { clock, consumer } = house();
  await clock.advance(1_000);
  let stopped = false;
  void consumer.stop().then(() => {
    stopped = true;
  });
  await clock.advance(5_000);
  t.equal(stopped, true);
  t.equal(clock.sleepers, 0);
});

t.test('stop ends the pause of an outage, and waits for a place only as long as looks run', async (t) => {
  const outage = house();
  outage.queue.faults.call = () => true;
  await outage.clock.advance(60_000);
  await outage.consumer.stop();
  t.equal(outage.clock.sleepers, 0);
  const full = house({ concurrency: 1 });
  await full.send(['a', '1']);
  const done = full.consumer.stop();
  await full.one('a').end();
  await done;
  t.same(full.queue.stored(), []);
});

t.test('stop goes on when what the last poll brought cannot be given back', async (t) => {
  const { clock, queue, events, send, consumer } = house();
  await clock.advance(A_MOMENT);
  queue.faults.call = (operation) => operation === 'hide';
  const done = consumer.stop();
  await send(['a', '1']);
  await done;
  t.same(events(), ['queue.unsettled']);
});

t.test('whatever stalls and fails, in the end every message was looked at, in order within its group', async (t) => {
  const { clock, queue, send, seen, endAll, stop } = house({ concurrency: 3 });
  let calls = 0;
  queue.faults.call = () => {
    calls += 1;
    return calls % 5 === 0;
  };
  for (let number = 10; number < 40; number += 1) {
    await send([`g${number % 4}`, `${number % 4}:${number}`]).catch(() =>
      send([`g${number % 4}`, `${number % 4}:${number}`]),
    );
    await endAll();
    if (number % 10 === 0) await clock.advance(31_000);
  }
  for (let rounds = 0; rounds < 20 && queue.stored().length > 0; rounds += 1) {
    await endAll();
    await clock.advance(31_000);
  }
  t.same(queue.stored(), []);
  for (const group of ['0', '1', '2', '3']) {
    const bodies = [...new Set(seen.filter((body) => body.startsWith(`${group}:`)))];
    t.same(bodies, [...bodies].sort());
  }
  t.equal(new Set(seen).size, 30);
  queue.faults.call = undefined;
  await stop();
});

t.test('while a settlement is on its way, no heartbeat undoes it', async (t) => {
  const hidden: number[] = [];
  let answer = () => {};
  const { send, clock, one, stop } = house({
    inbox: (inbox) => ({
      ...inbox,
      acknowledge: (messages) =>
        new Promise<void>((resolve) => {
          answer = resolve;
        }).then(() => inbox.acknowledge(messages)),
      async hide(messages, seconds) {
        hidden.push(messages.length);
        await inbox.hide(messages, seconds);
      },
    }),
  });
  await send(['a', '1']);
  await clock.advance(10_000);
  await one('a').end();
  await clock.advance(10_000);
  t.same(hidden, [1]);
  answer();
  await stop();
});

t.test('while the gate is closed nothing is received, and at once when it opens', async (t) => {
  const { send, clock, queue, outages, gate, groups, stop } = house();
  await clock.advance(5_000);
  outages.down.set('vault', unreachable('vault'));
  await gate.suspect('vault');
  await clock.advance(5_000); // the poll that was running ends
  await send(['a', '1']);
  await clock.advance(HOUR);
  t.equal(queue.stored()[0]?.receives, 0);
  outages.down.clear();
  await clock.advance(15_000);
  t.same(groups(), ['a']);
  await stop();
});

t.test('what the running poll brings after the gate has closed is given back: one receive', async (t) => {
  const { send, clock, queue, outages, gate, running, groups, stop } = house();
  await clock.advance(1_000);
  outages.down.set('vault', unreachable('vault'));
  await gate.suspect('vault');
  await send(['a', '1']);
  await clock.advance(HOUR);
  t.same(running, []);
  t.match(queue.stored(), [{ receives: 1 }]);
  t.ok((queue.stored()[0]?.hiddenUntil ?? 0) <= clock.now());
  outages.down.clear();
  await clock.advance(15_000);
  t.same(groups(), ['a']);
  t.equal(queue.stored()[0]?.receives, 2);
  await stop();
});

t.test('a stop ends the wait for the gate', async (t) => {
  const { clock, outages, gate, consumer, stop } = house();
  outages.down.set('vault', unreachable('vault'));
  await gate.suspect('vault');
  await clock.advance(5_000);
  await consumer.stop();
  await stop();
  t.equal(clock.sleepers, 0);
});

t.test(
  'what waits for one destination takes no place, is kept hidden, and is looked at when that is back',
  async (t) => {
    const { send, clock, queue, outages, gate, consumer, one, groups, stop } = house({ concurrency: 1 });
    outages.down.set('destinations.a', unreachable('destinations.a'));
    await gate.suspect('destinations.a');
    for (const group of ['1', '2', '3']) {
      await send([group, 'x']);
      const { messages, end } = one(group);
      await end({ acknowledge: [], hide: [], wait: [{ messages, part: 'destinations.a' }] });
    }
    await send(['b', 'y']);
    t.same(groups(), ['b'], 'the others go on');
    await clock.advance(HOUR);
    t.same(
      queue.stored().map(({ receives }) => receives),
      [1, 1, 1, 1],
    );
    t.equal(consumer.inFlight.oldestSentAt(), queue.stored()[0]?.sentAt);
    await one('b').end();
    outages.down.clear();
    await clock.advance(15_000);
    t.same(groups(), ['1'], 'they are looked at, as far as there are places');
    await one('1').end();
    await clock.advance(1_100); // a receive had its turn, and brought nothing
    t.same(groups(), ['2']);
    t.equal(queue.stored()[0]?.receives, 1);
    await stop();
    t.same(
      queue.stored().map(({ group, hiddenUntil }) => [group, hiddenUntil <= clock.now()]),
      [['3', true]],
      'what stood in line was given back',
    );
  },
);

t.test('a stop gives back what waits for a destination, and what cannot be settled takes it not with it', async (t) => {
  const { send, clock, queue, outages, gate, one, consumer } = house();
  outages.down.set('destinations.a', unreachable('destinations.a'));
  await gate.suspect('destinations.a');
  await send(['a', '1'], ['a', '2']);
  const { messages, end } = one('a');
  queue.faults.call = (operation) => operation === 'acknowledge';
  await end({
    ...{ acknowledge: messages.slice(1), hide: [] },
    wait: [{ messages: messages.slice(0, 1), part: 'destinations.a' }],
  });
  await clock.advance(60_000);
  t.equal(queue.stored()[0]?.receives, 1);
  const stopped = consumer.stop();
  await clock.advance(5_000);
  await stopped;
  t.ok((queue.stored()[0]?.hiddenUntil ?? 0) <= clock.now());
});

t.test('the age of the oldest counts what was hidden for later', async (t) => {
  const { send, clock, consumer, one, stop } = house();
  await send(['a', '1']);
  const { messages, end } = one('a');
  await end({ acknowledge: [], hide: [{ messages, seconds: 100 }] });
  await clock.advance(60_000);
  t.equal(consumer.inFlight.oldestSentAt(), messages[0]?.sentAt);
  await stop();
});

t.test('what waits for its time is looked at again without a receive, and in line with the others', async (t) => {
  const { send, clock, queue, one, groups, stop } = house({ concurrency: 2 });
  await send(['a', '1'], ['a', '2']);
  const { messages, end } = one('a');
  await end({ acknowledge: messages.slice(0, 1), hide: [], wait: [{ messages: messages.slice(1), seconds: 100 }] });
  await send(['b', 'x'], ['c', 'x'], ['a', '3']);
  t.same(groups(), ['b', 'c']);
  await clock.advance(100_000);
  t.same(groups(), ['b', 'c'], 'it waits for a place');
  await one('b').end();
  await clock.advance(2_000);
  t.same([groups(), one('a').bodies], [['a', 'c'], ['2']]);
  await clock.advance(HOUR);
  t.equal(queue.stored().find(({ group }) => group === 'a')?.receives, 1, 'a heartbeat keeps it');
  await one('a').end();
  await clock.advance(2_000);
  t.same(one('a').bodies, ['3']);
  await stop();
});

t.test('a sweep that has waited takes no place, and none is looked at while the gate is closed', async (t) => {
  const { send, clock, outages, gate, one, groups, stop } = house({ concurrency: 1 });
  await send(['sweeps', 's'], ['a', '1']);
  const { messages, end } = one('sweeps');
  await end({ acknowledge: [], hide: [], wait: [{ messages, seconds: 10 }] });
  outages.down.set('vault', unreachable('vault'));
  await gate.suspect('vault');
  await clock.advance(60_000);
  t.same(groups(), ['a']);
  outages.down.clear();
  await clock.advance(15_000);
  t.same(groups(), ['a', 'sweeps']);
  await stop();
});
