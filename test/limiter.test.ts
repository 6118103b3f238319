import fc from 'fast-check';
import t from 'tap';
import { createLimiter, type Limiter, type Need } from '../src/limiter.ts';
import { type ManualClock, manualClock } from './fakes/clock.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Asks for `count` turns at once; each is noted with its number and its time since now, in ms. */
function line(limiter: Limiter, clock: ManualClock, count: number): { turn: number; at: number }[] {
  const began = clock.monotonic();
  const taken: { turn: number; at: number }[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    void limiter.turn().then(() => taken.push({ turn, at: clock.monotonic() - began }));
  }
  return taken;
}
const within = (taken: readonly { at: number }[], from: number, to: number) =>
  taken.filter(({ at }) => at >= from && at < to).length;

t.test("an idle limiter lets one second's worth through at once, the rest evenly and in order", async (t) => {
  const clock = manualClock();
  const taken = line(createLimiter(10, clock), clock, 25);
  await clock.advance(0);
  t.equal(taken.length, 10);
  await clock.advance(99);
  t.equal(taken.length, 10);
  await clock.advance(1);
  t.equal(taken.length, 11);
  await clock.advance(1_400);
  t.same(
    taken.map(({ turn }) => turn),
    Array.from({ length: 25 }, (_, turn) => turn),
  );
  t.equal(Math.round(taken[24]?.at ?? 0), 1_500);
});

t.test('the rate is kept over a minute', async (t) => {
  const clock = manualClock();
  const taken = line(createLimiter(5, clock), clock, 1_000);
  await clock.advance(MINUTE);
  t.equal(taken.length, 5 + 5 * 60);
  for (let second = 1; second < 60; second += 1) {
    t.ok(within(taken, second * SECOND, (second + 1) * SECOND) <= 6, `second ${second}`);
  }
});

t.test('idleness saves up no more than one second', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(5, clock);
  await clock.advance(10 * MINUTE);
  const taken = line(limiter, clock, 20);
  await clock.advance(0);
  t.equal(taken.length, 5);
});

t.test('a part of a second refills a part', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(10, clock);
  line(limiter, clock, 10);
  await clock.advance(300);
  const taken = line(limiter, clock, 10);
  await clock.advance(0);
  t.equal(taken.length, 3);
});

t.test('throttling takes the savings away and halves the rate', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(60, clock);
  limiter.throttled();
  const taken = line(limiter, clock, 300);
  await clock.advance(0);
  t.equal(taken.length, 0);
  await clock.advance(SECOND);
  t.equal(taken.length, 30);
});

t.test('throttled again and again, a sixteenth is left', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(160, clock);
  for (let i = 0; i < 20; i += 1) limiter.throttled();
  const taken = line(limiter, clock, 100);
  await clock.advance(SECOND - 50);
  t.equal(taken.length, 10, 'and a little that comes back meanwhile');
});

t.test('those who wait already wait longer once AWS throttles, and nobody overtakes them', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(60, clock);
  const taken = line(limiter, clock, 90);
  await clock.advance(0);
  t.equal(taken.length, 60);
  limiter.throttled();
  void limiter.turn().then(() => taken.push({ turn: 90, at: clock.monotonic() }));
  await clock.advance(SECOND - 20);
  t.ok(taken.length < 90, 'thirty wait at thirty a second, not at sixty');
  await clock.advance(40);
  t.same(
    taken.map(({ turn }) => turn),
    Array.from({ length: 91 }, (_, turn) => turn),
  );
});

t.test('a rate below one a second gives turns too', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(1, clock);
  for (let i = 0; i < 4; i += 1) limiter.throttled();
  const taken = line(limiter, clock, 3);
  await clock.advance(5 * SECOND);
  t.equal(taken.length, 0);
  await clock.advance(5 * SECOND);
  t.equal(taken.length, 1, 'a sixteenth a second, and recovering');
  await clock.advance(MINUTE);
  t.equal(taken.length, 3);
});

/** The quota of one account: a bucket that holds one second's worth. */
function quotaOf(perSecond: number, clock: ManualClock) {
  let tokens = perSecond;
  let at = clock.monotonic();
  return () => {
    tokens = Math.min(perSecond, tokens + ((clock.monotonic() - at) / 1000) * perSecond);
    at = clock.monotonic();
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

/** A worker that always has something to write; counts what AWS took and refused in the second half. */
function greedy(limiter: Limiter, clock: ManualClock, allowed: () => boolean, until: number) {
  const counts = { taken: 0, refused: 0 };
  const run = async () => {
    while (clock.monotonic() < until) {
      await limiter.turn();
      const took = allowed();
      if (!took) limiter.throttled();
      if (clock.monotonic() > until / 2) counts[took ? 'taken' : 'refused'] += 1;
    }
  };
  void run();
  return counts;
}

t.test('workers that share a quota without talking each get their share', async (t) => {
  const some = fc.record({ workers: fc.integer({ min: 1, max: 12 }), ceiling: fc.integer({ min: 20, max: 50 }) });
  await fc.assert(
    fc.asyncProperty(some, async ({ workers, ceiling }) => {
      const clock = manualClock();
      const quota = 50;
      const allowed = quotaOf(quota, clock);
      const [length, fair] = [2 * MINUTE, Math.min(ceiling, quota / workers)];
      const until = clock.monotonic() + length;
      const all = Array.from({ length: workers }, () => greedy(createLimiter(ceiling, clock), clock, allowed, until));
      await clock.advance(length);
      const seconds = length / 2 / SECOND;
      const taken = all.map((one) => one.taken / seconds);
      const refused = all.reduce((sum, one) => sum + one.refused, 0) / seconds;
      const told = JSON.stringify({ workers, ceiling, taken, refused });
      t.ok(
        taken.every((rate) => rate > fair / 3),
        `nobody starves: ${told}`,
      );
      t.ok(taken.reduce((a, b) => a + b) > (fair * workers) / 2, `the quota is used: ${told}`);
      t.ok(refused < quota / 10, `few are refused: ${told}`);
    }),
    { numRuns: 5 },
  );
});

t.test('a sixtieth of the ceiling comes back each second, and never more than the ceiling', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(60, clock);
  limiter.throttled();
  await clock.advance(10 * SECOND);
  const after10 = line(limiter, clock, 200);
  await clock.advance(0);
  t.equal(after10.length, 40, '30 + 10');
  const waited = createLimiter(60, clock);
  waited.throttled();
  await clock.advance(10 * MINUTE);
  const later = line(waited, clock, 500);
  await clock.advance(2 * SECOND - 1);
  t.equal(later.length, 60 + 119);
});

t.test('recovery runs between two throttlings', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(60, clock);
  limiter.throttled();
  await clock.advance(20 * SECOND);
  limiter.throttled();
  const taken = line(limiter, clock, 100);
  await clock.advance(SECOND);
  t.equal(taken.length, 25, '(30 + 20) / 2');
});

t.test('what ends something goes before those who would begin something, in order among themselves', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(1, clock);
  const taken: string[] = [];
  const ask = (name: string, need?: Need) => void limiter.turn(need).then(() => taken.push(name));
  for (const name of ['a', 'b', 'c']) ask(name);
  await clock.advance(0);
  ask('first', { first: true });
  ask('second', { first: true });
  await clock.advance(5 * SECOND);
  t.same(taken, ['a', 'first', 'second', 'b', 'c']);
});

t.test('calls that belong together are let go together, at the rate of all of them', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(1, clock);
  const taken: number[] = [];
  for (let n = 0; n < 3; n += 1) void limiter.turn({ calls: 2 }).then(() => taken.push(clock.monotonic()));
  const began = clock.monotonic();
  await clock.advance(5 * SECOND);
  t.same(
    taken.map((at) => Math.round((at - began) / SECOND)),
    [1, 3, 5],
  );
});

t.test('a call that was not made is given to the next, and saves up nothing', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(1, clock);
  await limiter.turn();
  limiter.giveBack(1);
  const taken = line(limiter, clock, 2);
  await clock.advance(0);
  t.equal(taken.length, 1);
  limiter.giveBack(7);
  await clock.advance(SECOND);
  t.equal(taken.length, 2);
  const later = line(limiter, clock, 2);
  await clock.advance(0);
  t.equal(later.length, 0);
});
