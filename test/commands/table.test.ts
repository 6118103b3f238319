import fc from 'fast-check';
import t from 'tap';
import {
  age,
  alignedTable,
  count,
  cutMiddle,
  grouped,
  paint,
  printable,
  printableJson,
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
