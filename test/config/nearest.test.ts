import fc from 'fast-check';
import t from 'tap';
import { editDistance, nearest } from '../../src/config/nearest.ts';

t.test('the distance counts insertions, deletions, replacements and swaps', async (t) => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['adress', 'address', 1],
    ['quuee', 'queue', 1],
    ['ab', 'ba', 1],
    ['xab', 'xba', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, distance] of cases) t.equal(editDistance(a, b), distance, `${a} ${b}`);
});

t.test('the distance is the same both ways, and zero only between equals', async () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(fc.property(word, word, (a, b) => editDistance(a, b) === editDistance(b, a)));
  fc.assert(fc.property(word, word, (a, b) => (editDistance(a, b) === 0) === (a === b)));
});

t.test('the nearest known name is found, in other spellings too', async (t) => {
  const known = ['url', 'deadLetterUrl', 'visibilityTimeout', 'maxReceives'];
  t.equal(nearest('ulr', known), 'url');
  t.equal(nearest('dead_letter_url', known), 'deadLetterUrl');
  t.equal(nearest('Max-Receive', known), 'maxReceives');
  t.equal(nearest('visibility', known), undefined);
  t.equal(nearest('x'.repeat(100_000), known), undefined);
  t.equal(nearest('url', []), undefined);
  t.equal(nearest('abx', ['abc', 'abd', 'abx']), 'abx');
});
