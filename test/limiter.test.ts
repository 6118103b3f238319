import t from 'tap';
import { createLimiter, type Limiter } from '../src/limiter.ts';
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
  await clock.advance(SECOND);
  t.equal(taken.length, 10);
});

t.test('throttling does not forgive what is owed', async (t) => {
  const clock = manualClock();
  const limiter = createLimiter(10, clock);
  line(limiter, clock, 20);
  limiter.throttled();
  const taken = line(limiter, clock, 1);
  await clock.advance(2_199);
  t.equal(taken.length, 0, 'ten are owed at five a second, and it is the eleventh');
  await clock.advance(1);
  t.equal(taken.length, 1);
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
