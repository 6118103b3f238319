import t from 'tap';
import { aligned, duration, paintFor } from './terminal.ts';

t.test('colours are for terminals whose owner wants them', async (t) => {
  t.equal(paintFor(true, {}).bold('a'), '\u001b[1ma\u001b[22m');
  t.equal(paintFor(true, { NO_COLOR: '' }).red('a'), '\u001b[31ma\u001b[39m', 'an empty NO_COLOR is none');
  t.equal(paintFor(true, { NO_COLOR: '1' }).red('a'), 'a');
  t.equal(paintFor(true, { TERM: 'dumb' }).red('a'), 'a');
  t.equal(paintFor(false, {}).green('a'), 'a');
});

t.test('durations are short', async (t) => {
  t.equal(duration(0.4), '0 ms');
  t.equal(duration(87.6), '88 ms');
  t.equal(duration(1234), '1.2 s');
});

t.test('columns are aligned, numbers to the right', async (t) => {
  const rows = [
    ['Step', 'Lag', 'Outcome'],
    ['write', '112 ms', 'created'],
    ['a', '1.2 s', ''],
  ];
  t.strictSame(aligned(rows, [1]), ['Step       Lag   Outcome', 'write   112 ms   created', 'a        1.2 s']);
  t.strictSame(aligned([]), []);
});
