import t from 'tap';
import { openBox } from '../../src/dead-letters/box.ts';
import type { LetterQueue } from '../../src/dead-letters/queue.ts';
import type { Received } from '../../src/queue/ports.ts';
import { manualClock } from '../fakes/clock.ts';
import { received, VAULT } from './letters.ts';

/** Answers receives from `batches`, then with nothing; notes what was hidden, as `ids: seconds`. */
function queueOf(batches: readonly (readonly Received[])[], over: Partial<LetterQueue> = {}) {
  const hidden: string[] = [];
  const left = [...batches];
  let receives = 0;
  const queue: LetterQueue = {
    async receive() {
      receives += 1;
      return [...(left.shift() ?? [])];
    },
    async hide(letters, seconds) {
      hidden.push(`${letters.map(({ id, receipt }) => `${id}/${receipt}`).join(' ')}: ${seconds}`);
    },
    remove: async () => {},
    count: async () => ({ visible: 0, inFlight: 2, date: 7_000 }),
    ...over,
  };
  return { queue, hidden, receives: () => receives };
}

const one = (id: string, more: Partial<Received> = {}) => received('x', { id, ...more });
const options = (signal = new AbortController().signal, clock = manualClock()) => ({ vault: VAULT, clock, signal });

t.test('all letters, oldest first; what was not removed is given back at the end', async (t) => {
  const { queue, hidden } = queueOf([[one('b', { sentAt: 2 })], [one('a', { sentAt: 1 }), one('c', { sentAt: 3 })]]);
  const removed: string[] = [];
  const remove = async ({ id }: Received) => void removed.push(id);
  const steps: number[] = [];
  const onRead = (count: number) => void steps.push(count);
  const ids = await openBox({ ...queue, remove }, { ...options(), onRead }, async (box) => {
    t.equal(box.date, 7_000);
    for (const letter of box.letters) if (letter.id === 'a') await box.remove(letter);
    t.same(hidden, []);
    return box.letters.map(({ id }) => id);
  });
  t.same(ids, ['a', 'b', 'c']);
  t.same(removed, ['a']);
  t.same(hidden, ['b/r c/r: 0']);
  t.same(steps, [1, 3]);
});

t.test('while they are used they are hidden anew every ten seconds, and no longer', async (t) => {
  const clock = manualClock();
  let fail = true;
  const { queue, hidden } = queueOf([[one('a')]]);
  const hide: LetterQueue['hide'] = async (letters, seconds) => {
    if (fail && seconds > 0) throw new Error('SQS is away');
    return queue.hide(letters, seconds);
  };
  await openBox({ ...queue, hide }, options(undefined, clock), async () => {
    await clock.advance(10_000);
    fail = false;
    await clock.advance(9_000);
    t.same(hidden, []);
    await clock.advance(11_000);
    t.same(hidden, ['a/r: 30', 'a/r: 30']);
  });
  await clock.advance(60_000);
  t.same(hidden, ['a/r: 30', 'a/r: 30', 'a/r: 0']);
  t.equal(clock.sleepers, 0);
});

t.test('reading ends at an empty poll of an empty queue, else at the second that brings nothing new', async (t) => {
  const empty = queueOf([[one('a')]]);
  await openBox(empty.queue, options(), () => {});
  t.equal(empty.receives(), 2);
  const count = async () => ({ visible: 9, inFlight: 1, date: 0 });
  const busy = queueOf([[one('a')], [], [one('b')], [one('a', { receipt: 'r2' })], []], { count });
  await openBox(busy.queue, options(), ({ letters }) => t.equal(letters.length, 2));
  t.equal(busy.receives(), 5);
  t.same(busy.hidden, ['a/r2 b/r: 0'], 'by the newest receipt');
});

t.test('how many could not be read, and why', async (t) => {
  const table = [
    [
      { visible: 0, inFlight: 2 },
      { heldByOthers: 0, waiting: 0 },
    ],
    [
      { visible: 0, inFlight: 5 },
      { heldByOthers: 3, waiting: 0 },
    ],
    [
      { visible: 4, inFlight: 2 },
      { heldByOthers: 0, waiting: 4 },
    ],
    [
      { visible: 4, inFlight: 3 },
      { heldByOthers: 1, waiting: 4 },
    ],
    // The numbers lag behind what was just received.
    [
      { visible: 2, inFlight: 0 },
      { heldByOthers: 0, waiting: 0 },
    ],
    [
      { visible: 0, inFlight: 1 },
      { heldByOthers: 0, waiting: 0 },
    ],
  ] as const;
  for (const [counted, unread] of table) {
    const { queue } = queueOf([[one('a'), one('b')]], { count: async () => ({ ...counted, date: 0 }) });
    await openBox(queue, options(), (box) => t.same(box.unread, unread));
  }
});

t.test('a failure of whatever kind gives the letters back, and is the error that is told', async (t) => {
  const { queue, hidden } = queueOf([[one('a')]]);
  const failed = openBox(queue, options(), () => Promise.reject(new Error('in use')));
  await t.rejects(failed, { message: 'in use' });
  const reading = queueOf([[one('b')]], { count: () => Promise.reject(new Error('away')) });
  const hide = async (...args: Parameters<LetterQueue['hide']>) => {
    await reading.queue.hide(...args);
    throw new Error('away too');
  };
  await t.rejects(
    openBox({ ...reading.queue, hide }, options(), () => {}),
    { message: 'away' },
  );
  t.same([...hidden, ...reading.hidden], ['a/r: 0', 'b/r: 0']);
});

t.test('after an abort nothing more is received or used', async (t) => {
  const stopping = new AbortController();
  const { queue, hidden, receives } = queueOf([[one('a')], [one('b')]]);
  const onRead = () => stopping.abort();
  const never = () => t.fail('it was used');
  await t.rejects(openBox(queue, { ...options(stopping.signal), onRead }, never), { name: 'AbortError' });
  t.equal(receives(), 1);
  t.same(hidden, ['a/r: 0']);
});

t.test('a letter that could not be removed is still given back', async (t) => {
  const { queue, hidden } = queueOf([[one('a')]], { remove: () => Promise.reject(new Error('expired')) });
  await openBox(queue, options(), async ({ letters: [letter], remove }) => {
    if (letter !== undefined) await t.rejects(remove(letter), { message: 'expired' });
  });
  t.same(hidden, ['a/r: 0']);
});
