import t from 'tap';
import { type FailureCode, ReplicationError } from '../../src/errors.ts';
import { type Failed, unparked, verdict } from '../../src/worker/verdict.ts';

const MINUTES = 60_000;
const of = (code: FailureCode, more: Partial<Failed>, random = 0) =>
  verdict(new ReplicationError(code, 'text'), { ...ONCE, ...more }, 10, random);
const ONCE: Failed = { receives: 1, tries: 1, age: 0, widespread: false };
const OLD = 16 * MINUTES;
const park = { kind: 'park' };
const later = (seconds: number) => ({ kind: 'later', seconds });
const wait = (seconds: number) => ({ kind: 'wait', seconds });

t.test('what becomes of a failed message', async (t) => {
  const table: readonly [FailureCode, Partial<Failed>, object][] = [
    // Permanent: parked at once.
    ['not_owned', {}, park],
    ['value_too_large', { receives: 99, age: OLD }, park],
    // Retryable: given back for longer and longer, and parked once both receives and age are used up.
    ['promotion_conflict', {}, later(1)],
    ['promotion_conflict', { receives: 4 }, later(8)],
    ['promotion_conflict', { receives: 9, age: OLD }, later(30)],
    ['internal', { receives: 10, age: 15 * MINUTES }, later(30)],
    ['internal', { receives: 10, age: 15 * MINUTES + 1 }, park],
    ['internal', { receives: 1, tries: 10, age: OLD }, later(1)],
    // A part that answers when asked: kept here, and parked once looks and age are used up; not when many fail there.
    ['source_unavailable', {}, wait(1)],
    ['source_unavailable', { tries: 4 }, wait(8)],
    ['source_unavailable', { receives: 5, tries: 5, age: OLD }, wait(30)],
    ['source_unavailable', { receives: 5, tries: 6, age: OLD }, park],
    ['destination_unavailable', { tries: 10, age: 15 * MINUTES }, wait(30)],
    ['destination_unavailable', { tries: 10, age: OLD }, park],
    ['destination_unavailable', { tries: 99, age: OLD, widespread: true }, wait(30)],
    // A hold is nobody's fault: kept here, and never parked for it.
    ['source_stale', {}, wait(1)],
    ['source_stale', { receives: 9, tries: 99, age: OLD }, wait(5)],
    ['destination_throttled', { receives: 9, tries: 99, age: OLD }, wait(30)],
    // Before SQS moves it without a word, it is parked with its code.
    ['source_stale', { receives: 95 }, park],
    ['destination_unavailable', { receives: 95, widespread: true }, park],
  ];
  for (const [code, failed, expected] of table) {
    t.same(of(code, failed), expected, `${code} ${JSON.stringify(failed)}`);
  }
});

t.test('chance spreads the wait', async (t) => {
  t.same(of('source_unavailable', { tries: 5 }, 0.5), wait(20));
  t.same(of('promotion_conflict', { receives: 5 }, 0.5), later(20));
});

t.test('a hold that says when its time comes waits until then, within an hour, and is never parked for it', (t) => {
  const after = (code: FailureCode, seconds: number, more: Partial<Failed> = {}) =>
    verdict(new ReplicationError(code, 'text', undefined, seconds), { ...ONCE, ...more }, 10, 0.5);
  t.same(after('version_budget', 1_782), wait(1_782));
  t.same(after('version_budget', 30, { receives: 94, tries: 99, age: OLD }), wait(30));
  t.same(after('version_budget', 0), wait(1));
  t.same(after('version_budget', 86_400), wait(3_600));
  t.same(after('source_stale', 60), wait(60), "not its own code's longest");
  t.same(after('internal', 60), later(1), 'what is no hold waits as ever');
  t.same(after('version_budget', 30, { receives: 95 }), park);
  t.end();
});

t.test('without a letter the wait grows to five minutes, spread by chance', async (t) => {
  t.same(
    [1, 2, 5, 8, 9, 99].map((receives) => unparked(receives, 0)),
    [2, 4, 32, 256, 300, 300],
  );
  t.equal(unparked(99, 0.5), 375);
});
