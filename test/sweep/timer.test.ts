import t from 'tap';
import { parseMessage } from '../../src/queue/message.ts';
import { sweepAtStart, sweepTimer } from '../../src/sweep/timer.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createFakeQueue } from '../fakes/queue.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function house(every: number, start?: string) {
  const clock = manualClock(start);
  const queue = createFakeQueue(clock);
  const { log, lines } = recordingLog();
  const ending = new AbortController();
  const begin = () => sweepTimer({ vault: 'vault', publisher: queue.publisher, clock, log }, every, ending.signal);
  const slots = () => queue.sent.map(({ deduplicationId }) => deduplicationId);
  return { clock, queue, lines, ending, begin, slots };
}

t.test('it asks on each wall-clock multiple, by the id of the slot', async (t) => {
  const { clock, queue, ending, begin, slots } = house(HOUR);
  const ended = begin();
  await clock.advance(20 * MINUTE - 1);
  t.same(slots(), []);
  await clock.advance(1);
  t.same(slots(), ['2026-11-24T22:00:00Z']);
  t.match(queue.sent, [{ group: 'sweep-vault' }]);
  t.strictSame(parseMessage(queue.sent[0]?.body ?? '', 'vault'), {
    v: 1,
    kind: 'sweep',
    vault: 'vault',
    origin: 'timer',
  });
  await clock.advance(2 * HOUR);
  t.same(slots().slice(1), ['2026-11-24T23:00:00Z', '2026-11-25T00:00:00Z']);
  ending.abort();
  await ended;
  t.equal(clock.sleepers, 0);
});

t.test('a start on the slot itself waits for the next', async (t) => {
  const { clock, begin, ending, slots } = house(HOUR, '2026-11-24T22:00:00.000Z');
  void begin();
  await clock.advance(HOUR);
  t.same(slots(), ['2026-11-24T23:00:00Z']);
  ending.abort();
});

t.test("many workers' requests of one slot are one message", async (t) => {
  const { clock, queue, begin, ending } = house(10 * MINUTE);
  for (let workers = 0; workers < 5; workers += 1) void begin();
  await clock.advance(30 * MINUTE);
  t.equal(queue.sent.length, 3);
  ending.abort();
});

t.test('a clock that is set back does not make it ask early', async (t) => {
  const { clock, begin, ending, slots } = house(HOUR);
  void begin();
  await clock.advance(10 * MINUTE);
  clock.setWall(-30 * MINUTE);
  await clock.advance(10 * MINUTE);
  t.same(slots(), [], 'it is 21:30 now');
  await clock.advance(30 * MINUTE);
  t.same(slots(), ['2026-11-24T22:00:00Z']);
  ending.abort();
});

t.test('a clock that is set forward makes it ask for the slot that it waited for, and go on', async (t) => {
  const { clock, begin, ending, slots } = house(HOUR);
  void begin();
  await clock.advance(10 * MINUTE);
  clock.setWall(3 * HOUR);
  await clock.advance(10 * MINUTE);
  t.same(slots(), ['2026-11-24T22:00:00Z']);
  await clock.advance(HOUR);
  t.same(slots().slice(1), ['2026-11-25T02:00:00Z']);
  ending.abort();
});

t.test(
  'a request that cannot be sent is told and sent again by the same id, and the next slot is asked for',
  async (t) => {
    const { clock, queue, lines, begin, ending, slots } = house(HOUR);
    void begin();
    queue.faults.call = () => true;
    await clock.advance(HOUR);
    queue.faults.call = undefined;
    await clock.advance(HOUR);
    t.match(lines, [{ level: 'warn', event: 'sweep.not_requested', err: { code: 'queue_unavailable' } }]);
    t.same(slots(), ['2026-11-24T22:00:00Z', '2026-11-24T23:00:00Z']);
    ending.abort();
  },
);

t.test("a pause longer than Node's timers know is slept in parts", async (t) => {
  const { clock, begin, ending, slots } = house(30 * DAY);
  const longest: number[] = [];
  const { sleep } = clock;
  clock.sleep = (ms, signal) => {
    longest.push(ms);
    return sleep(ms, signal);
  };
  void begin();
  await clock.advance(31 * DAY);
  t.equal(slots().length, 1);
  t.ok(Math.max(...longest) < 2 ** 31);
  ending.abort();
});

t.test('a start without an ingress asks once, and again until SQS has taken it', async (t) => {
  const { clock, queue, lines, ending } = house(HOUR);
  let down = true;
  queue.faults.call = () => down;
  const { log } = recordingLog();
  const asked = sweepAtStart({ vault: 'vault', publisher: queue.publisher, clock, log }, ending.signal);
  await clock.advance(10_000);
  t.same(queue.sent, []);
  down = false;
  await clock.advance(MINUTE);
  await asked;
  t.equal(queue.sent.length, 1);
  t.match(parseMessage(queue.sent[0]?.body ?? '', 'vault'), { kind: 'sweep', origin: 'gap', reason: 'start' });
  t.same(lines, []);
  t.equal(clock.sleepers, 0);
});

t.test('a start that is ended while SQS is down asks no more', async (t) => {
  const { clock, queue, ending } = house(HOUR);
  queue.faults.call = () => true;
  const { log } = recordingLog();
  const asked = sweepAtStart({ vault: 'vault', publisher: queue.publisher, clock, log }, ending.signal);
  await clock.advance(10_000);
  ending.abort();
  await asked;
  t.equal(clock.sleepers, 0);
});
