import fc from 'fast-check';
import t from 'tap';
import { COUNTS_FOR, nextTurn } from '../../src/replicate/version-budget.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const HALF_HOUR = 30 * MINUTE;

/** `count` versions, the newest at 0, each so long after the one before. */
const every = (ms: number, count: number) => Array.from({ length: count }, (_, nth) => -nth * ms);
/** The first and longest stretch: 20 at once and 30 half a minute apart, the newest at 0. */
const BUSY = [...every(30 * SECOND, 30), ...every(1, 20).map((time) => time - 15 * MINUTE)];

t.test('when the next version may be put', async (t) => {
  const table: readonly [string, readonly number[], number, number][] = [
    ['the first of all', [], 0, 0],
    ['the first twenty follow at once', every(1, 19), 0, 0],
    ['the twenty-first half a minute after the twentieth', every(1, 20), 0, 30 * SECOND],
    ['which passes', every(1, 20), 20 * SECOND, 10 * SECOND],
    ['and is over', every(1, 20), 30 * SECOND, 0],
    ['the order of the times is nothing', every(1, 20).reverse(), 20 * SECOND, 10 * SECOND],
    ['the fiftieth too', every(30 * SECOND, 49), 0, 30 * SECOND],
    ['then what is left is spread over what is left of the day', BUSY, 0, (24 * HOUR - 14 * MINUTE - 19) / 48],
    ['and of one less, later', [...BUSY, 30 * MINUTE], 30 * MINUTE, (24 * HOUR - 44 * MINUTE - 19) / 47],
    ['an even pace goes on', every(COUNTS_FOR / 97, 97), 0, COUNTS_FOR / 97],
    [
      'one that ages soon does not hurry the next',
      [...every(MINUTE, 50), HOUR - DAY],
      0,
      (COUNTS_FOR - 49 * MINUTE) / 48,
    ],
    ['half an hour at most, however little is left', every(1, 97), 0, HALF_HOUR],
    ['and asked again then, when nothing is left', every(1, 98), 0, HALF_HOUR],
    ['until the first has aged', every(1, 98), COUNTS_FOR - 100, 3],
    ['which is a day and a minute later', every(1, 98), COUNTS_FOR - 97, 0],
    ['more than there should be', every(1, 120), COUNTS_FOR - 119, 22],
    ['of yesterday nothing counts', every(1, 98), 2 * DAY, 0],
    ['as few as twenty are free again', [0, ...every(1, 60).map((time) => time - DAY)], 10 * MINUTE, 0],
  ];
  for (const [what, times, now, expected] of table) {
    t.equal(Math.round(nextTurn(times, now)), Math.round(expected), what);
  }
});

const times = fc.array(fc.integer({ min: -2 * DAY, max: 0 }), { maxLength: 130 });
const crowded = fc.array(fc.integer({ min: -DAY, max: 0 }), { minLength: 15, maxLength: 110 });
const anyTimes = fc.oneof(times, crowded);

t.test('half an hour at most, and free while fewer than twenty count', (t) => {
  fc.assert(
    fc.property(anyTimes, fc.integer({ min: 0, max: 2 * DAY }), (versions, now) => {
      const wait = nextTurn(versions, now);
      const counting = versions.filter((time) => time > now - COUNTS_FOR).length;
      return wait >= 0 && wait <= HALF_HOUR && (counting >= 20 || wait === 0) && (counting < 98 || wait > 0);
    }),
  );
  t.end();
});

t.test('the turn never moves away while one waits', (t) => {
  fc.assert(
    fc.property(anyTimes, fc.nat(2 * DAY), fc.nat(HOUR), (versions, now, later) => {
      return (
        nextTurn(versions, now + later) <= Math.max(nextTurn(versions, now) - later, 0) ||
        nextTurn(versions, now) === HALF_HOUR
      );
    }),
  );
  t.end();
});

t.test('one version more never brings the turn nearer', (t) => {
  fc.assert(
    fc.property(anyTimes, fc.integer({ min: -DAY, max: 0 }), (versions, another) => {
      return nextTurn([...versions, another], 0) >= nextTurn(versions, 0);
    }),
  );
  t.end();
});

/** Whoever writes whenever there is something, and puts whenever it may. */
function puts(from: readonly number[], gaps: readonly number[]): number[] {
  const done = [...from];
  let now = 0;
  for (const gap of gaps) {
    now += gap;
    for (let wait = nextTurn(done, now); wait > 0; wait = nextTurn(done, now)) now += wait;
    done.push(now);
  }
  return done;
}

const most = (done: readonly number[]) =>
  Math.max(...done.map((end) => done.filter((time) => time > end - COUNTS_FOR && time <= end).length));

t.test('whatever the writes and whatever was there, never more than 98 in any day', (t) => {
  const before = fc.array(fc.integer({ min: -DAY, max: 0 }), { maxLength: 98 });
  const gap = fc.oneof(fc.constant(0), fc.nat(5 * SECOND), fc.nat(HOUR), fc.nat(DAY));
  fc.assert(
    fc.property(before, fc.array(gap, { minLength: 50, maxLength: 250 }), (from, gaps) => most(puts(from, gaps)) <= 98),
  );
  t.end();
});

t.test('a secret written without end: nearly all of each day is used, and evenly from the second day on', (t) => {
  const done = puts(
    [],
    Array.from({ length: 400 }, () => 1),
  );
  t.equal(most(done), 97);
  const gaps = done.slice(1).map((time, nth) => time - (done[nth] ?? 0));
  t.ok(Math.max(...gaps) <= HALF_HOUR, `the longest wait is ${Math.max(...gaps) / MINUTE} min`);
  const late = gaps.slice(200);
  t.ok(Math.min(...late) > 10 * MINUTE && Math.max(...late) < 20 * MINUTE, 'about a quarter of an hour each');
  t.end();
});
