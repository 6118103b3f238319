import assert from 'node:assert/strict';
import fc from 'fast-check';
import picomatch from 'picomatch';
import t from 'tap';
import { isCostly, pathTest } from '../../src/replicate/glob.ts';

const SPECIAL = (
  '** * ? a a* *a a*b* {a,b} {a,b/c} x{a,b} {a,b}* **{a,b} {a,b}** {a} {1..3} {a,} {*,a} {a,b}{a,b} [ab] [ab]* @(a|b) ' +
  '@(a|b/c) !(a) "a" \\a a\\'
).split(' ');
const glob = fc
  .array(
    fc.oneof(fc.constantFrom(...SPECIAL), fc.string({ unit: fc.constantFrom(...'ab*?.+@-#~, =%'), minLength: 1 })),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((segments) => segments.join('/'));
const path = fc
  .array(
    fc
      .string({ unit: fc.constantFrom(...'abc1.+@\u{1F600}'), minLength: 1, maxLength: 4 })
      .filter((segment) => !/^\.\.?$/.test(segment)),
    { minLength: 1, maxLength: 5 },
  )
  .map((segments) => segments.join('/'));

t.test('globs mean what they mean to picomatch', async () => {
  fc.assert(
    fc.property(glob, fc.array(path), (glob, paths) => {
      const near = [
        glob.replace(/\*+/g, 'a').replaceAll('?', 'b'),
        glob.replaceAll('**', 'a/b'),
        glob.replaceAll('/**', ''),
      ];
      const test = pathTest([glob], true);
      const expected = glob === '**' ? () => true : picomatch(glob, { dot: true });
      for (const path of [
        ...paths,
        ...near.filter((text) => /^[a-z./]+$/.test(text) && !/(^|\/)\.*(\/|$)/.test(text)),
      ]) {
        assert.equal(test(path), expected(path), `${glob} ${path}`);
      }
    }),
    { numRuns: 3_000 },
  );
});

t.test("picomatch's whims", (t) => {
  for (const [glob, path, takes] of [
    ['"a"/**', 'a', false],
    ['{a,b}**/**/{a,}', 'a', true],
    ['*/*/**/{*,a}', 'a/a', true],
    ['**.txt', 'a/b.txt', true],
    ['a**.txt', 'a/b.txt', false],
  ] as const) {
    t.equal(pathTest([glob], true)(path), takes, `${glob} ${path}`);
    t.equal(picomatch(glob, { dot: true })(path), takes, 'picomatch');
  }
  t.end();
});

t.test('a glob takes the path that it spells, and any of several will do', async (t) => {
  const test = pathTest(['a{b,c}', 'x/*'], true);
  t.same(['ab', 'ac', 'a{b,c}', 'x/y', 'x', 'a'].map(test), [true, true, true, true, false, false]);
});

t.test('no glob makes a forged path of a megabyte a matter of minutes', async (t) => {
  const forged = ['a', 'a/', 'prod/', 'a/b/', 'ab'].map((unit) => unit.repeat(1_000_000 / unit.length));
  for (const glob of [
    '*a*b*c*d*e*f',
    '**/a/**/b/**/c/**/d',
    '**/*a*b*/**/*c*/x',
    '**/prod/**/db',
    '{a,b}/**/*a*/**/c',
  ]) {
    for (const path of forged) t.equal(pathTest([glob], true)(path), false, `${glob} ${path.slice(0, 5)}`);
  }
});

t.test('what only picomatch understands is not asked about what has no valid name', async (t) => {
  for (const [glob, path] of [
    ['[ab]*', 'a'.repeat(513)],
    ['!(x)/y', 'a'.repeat(513)],
    ['x/[ab]*', `x/${'c'.repeat(513)}`],
  ] as const) {
    t.same([pathTest([glob], true)(path), pathTest([glob], false)(path)], [true, false], glob);
  }
  t.equal(pathTest(['x/[ab]*'], true)(`y/${'a'.repeat(513)}`), false, 'the other segments still tell');
});

t.test('many alternatives are left to picomatch', async (t) => {
  const test = pathTest(['{a,b}'.repeat(7)], true);
  t.same(['abababa', 'abababc', 'a'].map(test), [true, false, false]);
});

t.test('what may cost much is known', async (t) => {
  const fine = [
    '**/*a*b*c*/**',
    '{a,b}/**/*-*-*',
    '**/[ab]*-*/**',
    '**',
    'a',
    '@(a|b)/*/*/*/*',
    '+([a-z])',
    '(a|b)*',
    '[ab]+',
    '*,*,*,*,*',
    'a,,*b*b*b*b*b',
  ];
  for (const glob of fine) t.equal(isCostly(glob), false, glob);
  const stars = ['*[ab]*c*', '!(a)/**/b*/*', '{a,}*b*c*', '+(a)+(b)+(c)', '[a]+[a]+[a]+'];
  const whole = ['*,*,*,{,a}', 'a{x,,y}/*a*b*c', '"a"*b*c*d', '*a*a*a/', 'a//*b*b*b', './*a*a*a'];
  for (const glob of whole) t.equal(isCostly(glob), true, glob);
  const repeated = ['+([a-z]|[a-z0-9])', 'app-+(a|aa)', '+(a*)', '+({a,aa})', '([a-z]|a)+', '@(a|aa)+', '{a,[a]}+'];
  for (const glob of [...stars, ...repeated]) t.equal(isCostly(glob), true, glob);
});
