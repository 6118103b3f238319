import t from 'tap';
import { type FailureCode, ReplicationError } from '../../src/errors.ts';
import { unparked, verdict } from '../../src/worker/verdict.ts';

const MINUTES = 60_000;
const of = (code: FailureCode, receives: number, age: number, random = 0) =>
  verdict(new ReplicationError(code, 'text'), { receives, age }, 10, random);
const park = { kind: 'park' };
const later = (seconds: number) => ({ kind: 'later', seconds });

t.test('what becomes of a failed message', async (t) => {
  const table: readonly [FailureCode, number, number, object][] = [
    // Permanent: parked at once.
    ['not_owned', 1, 0, park],
    ['value_too_large', 99, 60 * MINUTES, park],
    // Retryable: waits longer and longer, and is parked once both receives and age are used up.
    ['source_unavailable', 1, 0, later(1)],
    ['source_unavailable', 4, 0, later(8)],
    ['source_unavailable', 9, 60 * MINUTES, later(30)],
    ['source_unavailable', 10, 15 * MINUTES, later(30)],
    ['source_unavailable', 10, 15 * MINUTES + 1, park],
    ['promotion_conflict', 11, 60 * MINUTES, park],
    ['internal', 10, 60 * MINUTES, park],
    ['destination_unavailable', 99, 1 * MINUTES, later(30)],
    // A hold is nobody's fault: it is never parked.
    ['source_stale', 1, 0, later(1)],
    ['source_stale', 99, 600 * MINUTES, later(5)],
    ['destination_throttled', 99, 600 * MINUTES, later(30)],
    ['version_budget', 1, 0, later(300)],
    ['version_budget', 99, 600 * MINUTES, later(300)],
  ];
  for (const [code, receives, age, expected] of table) {
    t.same(of(code, receives, age), expected, `${code}, receive ${receives}, ${age / MINUTES} min`);
  }
});

t.test('chance spreads the wait', async (t) => {
  t.same(of('source_unavailable', 5, 0, 0.5), later(20));
  t.same(of('version_budget', 5, 0, 0.5), later(300));
});

t.test('without a letter the wait grows to five minutes, spread by chance', async (t) => {
  t.same(
    [1, 2, 5, 8, 9, 99].map((receives) => unparked(receives, 0)),
    [2, 4, 32, 256, 300, 300],
  );
  t.equal(unparked(99, 0.5), 375);
});
