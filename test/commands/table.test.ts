import fc from 'fast-check';
import t from 'tap';
import {
  age,
  alignedTable,
  count,
  cutMiddle,
  fittedTable,
  grouped,
  paint,
  printable,
  printableJson,
  wrapped,
} from '../../src/commands/table.ts';

t.test('columns are as wide as their widest cell', async (t) => {
  const rows = [
    ['a', 'b', 'c'],
    ['long 😀', '1', ''],
    ['x', '100', 'end'],
  ];
  t.same(alignedTable(rows, [1]), ['a         b  c', 'long 😀    1', 'x       100  end']);
  t.same(alignedTable([]), []);
});

t.test('as many rows as there may be', async (t) => {
  const rows = Array.from({ length: 200_000 }, (_, index) => [`kv/${index}`, 'eu']);
  t.equal(alignedTable(rows)[0], 'kv/0       eu');
  t.equal(fittedTable(rows, { column: 0, least: 4 }, 10, [])[199_999], 'kv/…99  eu');
});

t.test('one column is cut until a line fits, as far as it may be', async (t) => {
  const rows = [
    ['kv/team/database', 'eu', '1'],
    ['kv/a', 'default', '10'],
  ];
  const fitted = (columns?: number) => fittedTable(rows, { column: 0, least: 8 }, columns, [2]);
  t.same(fitted(), alignedTable(rows, [2]));
  t.same(fitted(25), ['kv/tea…abase  eu        1', 'kv/a          default  10']);
  t.same(fitted(10), ['kv/t…ase  eu        1', 'kv/a      default  10'], 'eight at least');
});

t.test('text is broken between words, and a long word is whole', async (t) => {
  t.same(wrapped('one two three', undefined), ['one two three']);
  t.same(wrapped('one two three', 7), ['one two', 'three']);
  t.same(wrapped('a-long-word b', 3), ['a-long-word', 'b']);
  t.same(wrapped('', 3), ['']);
});

t.test('ages', async (t) => {
  const table = {
    '-5': '0 s',
    0: '0 s',
    59999: '59 s',
    60000: '1 m',
    3599000: '59 m',
    3600000: '1 h',
    86399000: '23 h',
    86400000: '1 d',
    1209600000: '14 d',
  };
  for (const [ms, text] of Object.entries(table)) t.equal(age(Number(ms)), text);
});

t.test('one and several', async (t) => {
  t.same(
    [0, 1, 2].map((number) => count(number, 'letter')),
    ['0 letters', '1 letter', '2 letters'],
  );
});

t.test('what steers a terminal is spelled, the rest is left', async (t) => {
  t.equal(printable('é 😀 "\\" %'), 'é 😀 "\\" %');
  t.equal(
    printable('a\u001B\n\u009B\u202E\uD800\u2028\u{E0001}'),
    'a\\u001b\\u000a\\u009b\\u202e\\ud800\\u2028\\udb40\\udc01',
  );
});

t.test('JSON of anything is one line that says the same and steers no terminal', async () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const text = printableJson(value);
      return !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(text) && JSON.stringify(JSON.parse(text)) === JSON.stringify(value);
    }),
  );
});

t.test('the middle of what is too long is left out', async (t) => {
  const cases = [
    ['kv/app/db', 9, 'kv/app/db'],
    ['kv/app/db', 8, 'kv/a…/db'],
    ['kv/app/db', 2, 'k…'],
    ['kv/app/db', 1, '…'],
    ['😀😀😀😀', 3, '😀…😀'],
    ['', 0, ''],
  ] as const;
  for (const [text, width, cut] of cases) t.equal(cutMiddle(text, width), cut);
});

t.test('numbers and colours', async (t) => {
  t.equal(grouped(1_234_567), '1,234,567');
  t.equal(paint('x', 32, true), '\u001b[32mx\u001b[0m');
  t.equal(paint('x', 32, false), 'x');
});
