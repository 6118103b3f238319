import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { createDirtyCopies, type Dirty, type OnQueued } from '../../src/ingress/dirty.ts';

const nothing = () => {};

const dirty = (key: string, auditTime: string, body = `${key} ${auditTime}`, onQueued: readonly OnQueued[] = []) =>
  ({
    key,
    about: { ref: key, destination: 'default' },
    auditTime,
    telling: true,
    onQueued,
    message: { body, group: key, deduplicationId: auditTime },
  }) satisfies Dirty;

const bodies = (batch: readonly Dirty[]) => batch.map(({ message }) => message.body);

t.test('a copy that changes again is one message, with the newest entry of both orders', (t) => {
  const copies = createDirtyCopies(9, nothing);
  copies.add(dirty('a', '1'));
  copies.add(dirty('b', '2'));
  copies.add(dirty('a', '3'));
  copies.add(dirty('b', '1'));
  t.equal(copies.size, 2);
  t.same(bodies(copies.take(10, 1000)), ['a 3', 'b 2']);
  t.equal(copies.has(1), false);
  t.end();
});

t.test('of equal times the later one stays, also when the earlier is given back', (t) => {
  const copies = createDirtyCopies(9, nothing);
  copies.add(dirty('a', '', 'first'));
  copies.add(dirty('a', '', 'second'));
  const batch = copies.take(1, 1000);
  t.same(bodies(batch), ['second']);
  copies.add(dirty('a', '', 'third'));
  copies.giveBack(batch);
  t.same(bodies(copies.take(1, 1000)), ['third']);
  t.end();
});

t.test('what is given back takes the place of an older one that came meanwhile', (t) => {
  const copies = createDirtyCopies(9, nothing);
  copies.add(dirty('a', '5'));
  const batch = copies.take(1, 1000);
  copies.add(dirty('a', '4'));
  copies.giveBack(batch);
  t.same(bodies(copies.take(1, 1000)), ['a 5']);
  t.end();
});

t.test('what tells nothing never takes the place of what tells of a version or a purge, and gives way to it', (t) => {
  const copies = createDirtyCopies(9, nothing);
  const metadata = (time: string) => ({ ...dirty('a', time, `metadata ${time}`), telling: false });
  copies.add(dirty('a', '1', 'version'));
  copies.add(metadata('2'));
  const batch = copies.take(1, 1000);
  t.same(bodies(batch), ['version']);
  copies.add(metadata('3'));
  copies.add(metadata('4'));
  t.same(bodies(copies.take(1, 1000)), [], 'still being sent');
  copies.giveBack(batch);
  t.same(bodies(copies.take(1, 1000)), ['version']);
  copies.add(metadata('5'));
  copies.add(dirty('a', '4', 'purge'));
  copies.sent(batch);
  t.same(bodies(copies.take(1, 1000)), ['purge']);
  t.end();
});

t.test('what goes out again for a later entry has an id of its own: SQS may have taken the earlier one', (t) => {
  const copies = createDirtyCopies(9, nothing);
  const ids = (batch: readonly Dirty[]) => batch.map(({ message }) => message.deduplicationId);
  const before = dirty('a', '1', 'version');
  copies.add(before);
  const batch = copies.take(1, 1000);
  const quiet = { ...dirty('a', '2', 'quiet'), telling: false };
  copies.add({ ...quiet, message: { ...quiet.message, deduplicationId: 'later' } });
  copies.giveBack(batch);
  const again = copies.take(1, 1000);
  t.same([bodies(again), ids(again)], [['version'], ['later']]);
  copies.giveBack(again);
  t.same(ids(copies.take(1, 1000)), ['later'], 'a retry of the same is one message');
  t.end();
});

t.test('a copy that is being sent is not taken a second time until it was sent or given back', (t) => {
  const copies = createDirtyCopies(9, nothing);
  copies.add(dirty('a', '1'));
  const first = copies.take(10, 1000);
  copies.add(dirty('a', '2'));
  t.equal(copies.has(1), false);
  t.same(copies.take(10, 1000), []);
  copies.add(dirty('b', '1'));
  t.equal(copies.has(1), true);
  t.same(bodies(copies.take(10, 1000)), ['b 1']);
  copies.sent(first);
  t.equal(copies.has(1), true);
  t.same(bodies(copies.take(10, 1000)), ['a 2']);
  t.end();
});

t.test('a batch has its count and its bytes, the oldest first, and one that is too large for any goes alone', (t) => {
  const copies = createDirtyCopies(99, nothing);
  for (const [key, length] of Object.entries({ a: 4, b: 4, c: 3, d: 20, e: 1, f: 1, g: 1 })) {
    copies.add(dirty(key, '1', key.repeat(length)));
  }
  t.same(bodies(copies.take(3, 10)), ['aaaa', 'bbbb']);
  t.same(bodies(copies.take(3, 10)), ['ccc']);
  t.same(bodies(copies.take(3, 10)), ['d'.repeat(20)]);
  t.same(bodies(copies.take(2, 10)), ['e', 'f']);
  t.same(bodies(copies.take(2, 10)), ['g']);
  t.equal(copies.size, 7);
  t.end();
});

t.test('bytes are those of UTF-8', (t) => {
  const copies = createDirtyCopies(9, nothing);
  copies.add(dirty('a', '1', 'é'.repeat(3)));
  copies.add(dirty('b', '1', 'é'.repeat(3)));
  t.equal(copies.take(10, 11).length, 1);
  t.end();
});

t.test('past the limit all that waits is let go, with those who wait for it', (t) => {
  const overflows: (readonly OnQueued[])[] = [];
  const counts: number[] = [];
  const copies = createDirtyCopies(3, (onQueued, dropped) => {
    overflows.push(onQueued);
    counts.push(dropped);
  });
  const told: string[] = [];
  const tell = (key: string): OnQueued[] => [() => told.push(key)];
  copies.add(dirty('sending', '1', 's', tell('sending')));
  const batch = copies.take(1, 1000);
  for (const key of ['a', 'b', 'c']) copies.add(dirty(key, '1', key, tell(key)));
  copies.add(dirty('a', '2', 'a', tell('a again')));
  t.same([overflows, copies.size], [[], 4]);
  copies.add(dirty('d', '1', 'd', tell('d')));
  t.equal(copies.size, 1, 'what is being sent goes its way');
  t.same(counts, [4]);
  t.same(told, []);
  copies.sent(batch);
  for (const tellOne of overflows.flat()) tellOne();
  t.same(told, ['sending', 'a', 'a again', 'b', 'c', 'd']);
  t.equal(copies.size, 0);
  t.end();
});

t.test('those who wait for one copy are not those of another, though they came as one', (t) => {
  const copies = createDirtyCopies(9, nothing);
  const told: string[] = [];
  const shared = [() => told.push('both')];
  copies.add(dirty('a', '1', 'a', shared));
  copies.add(dirty('b', '1', 'b', shared));
  copies.add(dirty('a', '2', 'a', [() => told.push('a')]));
  const [a, b] = [copies.take(1, 1000), copies.take(1, 1000)];
  copies.sent(b);
  t.same([told, shared.length], [['both'], 1]);
  copies.sent(a);
  t.same(told, ['both', 'both', 'a']);
  t.end();
});

type Step =
  | { readonly kind: 'add'; readonly key: string; readonly time: number }
  | { readonly kind: 'take'; readonly max: number }
  | { readonly kind: 'sent' | 'giveBack'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add'), key: fc.nat(11).map(String), time: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take'), max: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('sent', 'giveBack'), which: fc.nat(3) }) },
);

const LIMIT = 4;
/** Batches that are being sent at once, of up to 3 each. */
const FLYING = 2;

/** Plays steps on dirty copies as a sender would; throws when a copy is taken twice or told of too early. */
function play(steps: readonly Step[]) {
  const told: number[] = [];
  const sentUpTo = new Map<string, number>();
  const overflown = new Set<OnQueued>();
  const copies = createDirtyCopies(LIMIT, (onQueued) => {
    for (const each of onQueued) overflown.add(each);
  });
  const flying: Dirty[][] = [];
  let added = 0;
  let most = 0;

  const add = (key: string, time: number) => {
    const number = added;
    added += 1;
    const onQueued = () => {
      assert.ok(overflown.has(onQueued) || (sentUpTo.get(key) ?? -1) >= time, 'told before it was sent');
      told.push(number);
    };
    copies.add(dirty(key, String(time), key, [onQueued]));
  };
  const take = (max: number) => {
    if (flying.length === FLYING) return;
    const batch = copies.take(max, 1000);
    const keys = [...flying.flat(), ...batch].map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length, 'a copy is being sent twice');
    if (batch.length > 0) flying.push(batch);
  };
  const end = (batch: readonly Dirty[]) => {
    for (const { key, auditTime } of batch) sentUpTo.set(key, Math.max(sentUpTo.get(key) ?? -1, Number(auditTime)));
    copies.sent(batch);
  };
  const endOne = (which: number, how: (batch: readonly Dirty[]) => void) => {
    const [batch] = flying.splice(which % Math.max(1, flying.length), 1);
    if (batch !== undefined) how(batch);
  };
  for (const next of steps) {
    if (next.kind === 'add') add(next.key, next.time);
    else if (next.kind === 'take') take(next.max);
    else endOne(next.which, next.kind === 'sent' ? end : copies.giveBack);
    most = Math.max(most, copies.size);
  }
  while (copies.size > 0) {
    endOne(0, end);
    take(3);
  }
  for (const tell of overflown) tell();
  return { told: told.sort((a, b) => a - b), added, most };
}

t.test('whatever happens, each change is told of once, by its own message or a newer one; memory is bounded', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { told, added, most } = play(steps);
      const each = Array.from({ length: added }, (_, number) => number);
      assert.deepEqual(told, each);
      assert.ok(most <= LIMIT + 2 * FLYING * 3, `${most} are held`);
    }),
    { numRuns: 500 },
  );
  t.pass();
  t.end();
});

t.test('the oldest is told by when its copy became dirty, whatever was tried or came since', (t) => {
  let now = 0;
  const copies = createDirtyCopies(9, nothing, () => now);
  t.equal(copies.oldestFor, 0);
  copies.add(dirty('a', '1'));
  now = 10;
  copies.add(dirty('a', '2'));
  copies.add(dirty('b', '1'));
  t.equal(copies.oldestFor, 10);
  const batch = copies.take(1, 1000);
  now = 20;
  t.equal(copies.oldestFor, 20, 'while it is being sent');
  copies.giveBack(batch);
  t.equal(copies.oldestFor, 20, 'given back');
  copies.sent(copies.take(1, 1000));
  copies.sent(copies.take(1, 1000));
  t.equal(copies.oldestFor, 0);
  t.end();
});
