import fc from 'fast-check';
import picomatch from 'picomatch';
import t from 'tap';
import { areDisjoint, type Globs } from '../../src/config/globs.ts';

const globs = (include: string, exclude = ''): Globs => ({
  include: include.split(' '),
  exclude: exclude === '' ? [] : exclude.split(' '),
});

t.test('what the beginnings prove', async (t) => {
  const apart: [Globs, Globs][] = [
    [globs('app/**'), globs('web/**')],
    [globs('app/*'), globs('app2/*')],
    [globs('a/b/c/*'), globs('a/x/*')],
    [globs('app'), globs('app/db')],
    [globs('app'), globs('apps')],
    [globs('a/** b/**'), globs('c/** d')],
    [globs('**', 'app/**'), globs('app/**')],
    [globs('** x*', 'app/**'), globs('app app/db app/*/x')],
    [globs('**'), globs('*', '**')],
  ];
  for (const [a, b] of apart) t.ok(areDisjoint(a, b) && areDisjoint(b, a), JSON.stringify([a, b]));
  const together: [Globs, Globs][] = [
    [globs('**'), globs('app/**')],
    [globs('app/**'), globs('app')],
    [globs('app/**'), globs('app/db/*')],
    [globs('a*'), globs('b*')],
    [globs('a/** b/**'), globs('c/** b/x')],
    [globs('**', 'app/*'), globs('app/**')],
    [globs('**', 'app/db/**'), globs('app/**')],
    [globs('**', 'app'), globs('app/**')],
    [globs('./app'), globs('app')],
    [globs('!app'), globs('web')],
    [globs('**', '*/**'), globs('app')],
  ];
  for (const [a, b] of together) t.notOk(areDisjoint(a, b) || areDisjoint(b, a), JSON.stringify([a, b]));
});

t.test('what is called disjoint shares no path', async () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '*', '**', 'a*', '?', '[ab]', '.', '');
  const glob = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/') || '**');
  const some = fc.record({
    include: fc.array(glob, { minLength: 1, maxLength: 2 }),
    exclude: fc.array(glob, { maxLength: 1 }),
  });
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'));
  const matches = ({ include, exclude }: Globs, one: string) =>
    picomatch([...include], { dot: true })(one) && !(exclude.length > 0 && picomatch([...exclude], { dot: true })(one));
  fc.assert(
    fc.property(some, some, path, (a, b, one) => !areDisjoint(a, b) || !(matches(a, one) && matches(b, one))),
    { numRuns: 3000 },
  );
});
