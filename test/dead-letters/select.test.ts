import fc from 'fast-check';
import t from 'tap';
import { selectById, shortIds } from '../../src/dead-letters/select.ts';

const letters = ['abcdef01-1', 'abcdef02-2', 'fedcba98-3', 'fedcba98'].map((id) => ({ id }));
const selected = (...ids: string[]) => {
  const { letters: found, unknown, ambiguous } = selectById(letters, ids);
  return { found: found.map(({ id }) => id), unknown, ambiguous };
};

t.test('whole ids, beginnings, unknown and ambiguous ones', async (t) => {
  t.same(selected('abcdef01-1'), { found: ['abcdef01-1'], unknown: [], ambiguous: [] });
  t.same(selected('abcdef02', 'abcdef01'), { found: ['abcdef02-2', 'abcdef01-1'], unknown: [], ambiguous: [] });
  t.same(selected('abcdef', 'nobody', ''), { found: [], unknown: ['nobody'], ambiguous: ['abcdef', ''] });
  t.same(selected('bcdef01-1'), { found: [], unknown: ['bcdef01-1'], ambiguous: [] });
});

t.test('a whole id is never ambiguous, and a letter is chosen once', async (t) => {
  t.same(selected('fedcba98', 'fedcba98', 'fedcba98-3'), {
    found: ['fedcba98', 'fedcba98-3'],
    unknown: [],
    ambiguous: [],
  });
});

t.test('what is shown of an id names its letter, and has eight characters or more', async () => {
  const ids = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 10, maxLength: 12 }));
  fc.assert(
    fc.property(ids, (all) => {
      const some = all.filter((id) => !all.some((other) => other !== id && other.startsWith(id)));
      const shorts = shortIds(some);
      return some.every((id) => {
        const short = shorts.get(id) ?? '';
        const {
          letters: [found],
          ambiguous,
        } = selectById(
          some.map((one) => ({ id: one })),
          [short],
        );
        return short.length >= 8 && ambiguous.length === 0 && found?.id === id;
      });
    }),
  );
});

t.test('it is no longer than it must be', async (t) => {
  t.same([...shortIds(['01234567-a', '89abcdef-a']).values()], ['01234567', '89abcdef']);
  t.same([...shortIds(['01234567-ab', '01234567-cd']).values()], ['01234567-a', '01234567-c']);
});
