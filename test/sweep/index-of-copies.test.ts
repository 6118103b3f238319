import t from 'tap';
import type { ListedCopy } from '../../src/replicate/destination.ts';
import { createIndexOfCopies } from '../../src/sweep/index-of-copies.ts';

const copy = (name: string, more: Partial<ListedCopy> = {}): ListedCopy => ({
  ...{ name, arn: `arn:${name}`, description: 'é', tags: { a: 'b' }, scheduledForDeletion: false },
  stages: new Map([['v1', ['AWSCURRENT', 'X']]]),
  rotationEnabled: false,
  ...more,
});

t.test('each copy is handed out once, as it came, and the rest is what never was', async (t) => {
  const index = createIndexOfCopies();
  const [a, b, c] = [copy('a'), copy('b', { owningService: 'x' }), copy('c', { scheduledForDeletion: true })];
  for (const each of [a, b, c]) index.add(each);
  t.equal(index.count, 2, 'what waits for its end is not counted');
  t.same(index.take('b'), b);
  t.equal(index.take('b'), undefined);
  t.same([...index.rest()], [a, c]);
});
