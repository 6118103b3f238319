import t from 'tap';
import { type Counted, createCopyCount } from '../../src/replicate/copy-count.ts';

const MINUTE = 60_000;

function house(max: number, ...names: readonly string[]) {
  let now = 0;
  const shown = new Map<string, Counted>();
  const show = (name: string, scheduledForDeletion = false) => shown.set(name, { name, scheduledForDeletion });
  for (const name of names) show(name);
  const faults: Error[] = [];
  let listings = 0;
  async function* listing() {
    listings += 1;
    const fault = faults.shift();
    if (fault !== undefined) throw fault;
    yield* shown.values();
  }
  const count = createCopyCount(listing, max, { monotonic: () => now });
  const sweep = async () => {
    const seen: string[] = [];
    for await (const { name } of count.list()) seen.push(name);
    return seen;
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { count, show, shown, faults, sweep, pass, listings: () => listings };
}

t.test('as many copies as allowed, counted from what is there', async (t) => {
  const { count, listings } = house(3, 'a');
  t.equal(listings(), 0, 'nothing is asked before the first creation');
  t.equal(await count.take('b'), true);
  t.equal(await count.take('c'), true);
  t.equal(await count.take('d'), false);
  t.equal(await count.take('c'), true, 'a retry has its place');
  t.equal(listings(), 1);
  count.giveBack('b');
  t.equal(await count.take('d'), true);
  t.equal(count.max, 3);
});

t.test('many at once share one listing and never take more than there is', async (t) => {
  const { count, listings } = house(10, 'a', 'b', 'c');
  const took = await Promise.all(Array.from({ length: 16 }, (_, i) => count.take(`n${i}`)));
  t.equal(took.filter(Boolean).length, 7);
  t.equal(listings(), 1);
});

t.test('what cannot be counted is not created, and is counted again at the next one', async (t) => {
  const { count, faults } = house(1);
  faults.push(new Error('down'));
  const both = await Promise.allSettled([count.take('a'), count.take('b')]);
  t.same(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.equal(await count.take('a'), true);
});

t.test('a copy that waits for its deletion is not counted', async (t) => {
  const { count, show } = house(2, 'a');
  show('gone', true);
  t.equal(await count.take('b'), true);
  t.equal(await count.take('c'), false);
});

t.test('each listing is the new count', async (t) => {
  const { count, sweep, shown } = house(2, 'a', 'b');
  t.equal(await count.take('c'), false);
  shown.delete('a');
  t.same(await sweep(), ['b']);
  t.equal(await count.take('c'), true);
  t.equal(await count.take('d'), false);
});

t.test('a copy counts once, whether or not a listing shows it yet', async (t) => {
  const { count, sweep, show, pass } = house(2);
  await count.take('a');
  await sweep();
  t.equal(await count.take('b'), true);
  t.equal(await count.take('c'), false, 'a is there though the listing lags');
  show('a');
  show('b');
  await sweep();
  t.equal(await count.take('c'), false);
  show('c');
  pass(MINUTE);
  await sweep();
  t.equal(await count.take('d'), false);
});

t.test('what no listing shows after five minutes is gone', async (t) => {
  const { count, sweep, pass } = house(1);
  await count.take('a');
  pass(5 * MINUTE);
  await sweep();
  t.equal(await count.take('b'), false);
  pass(1);
  await sweep();
  t.equal(await count.take('b'), true);
});

t.test('a listing that is not read to its end changes nothing', async (t) => {
  const { count, show } = house(2, 'a');
  await count.take('b');
  show('b');
  show('c');
  await count.list().next();
  for await (const _ of count.list()) break;
  t.equal(await count.take('d'), false);
});
