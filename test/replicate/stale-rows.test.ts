import t from 'tap';
import { createStaleRows } from '../../src/replicate/stale-rows.ts';
import { manualClock } from '../fakes/clock.ts';

const SECOND = 1000;

t.test('a row is believed two minutes after its first stale answer', async (t) => {
  const clock = manualClock();
  const rows = createStaleRows(clock);
  t.notOk(rows.believed('a'), 'nothing is known');
  rows.note('a', true);
  clock.stall(60 * SECOND);
  rows.note('a', true);
  clock.stall(59_999);
  t.notOk(rows.believed('a'));
  clock.stall(1);
  t.ok(rows.believed('a'), 'counted from the first, not from the last');
  t.notOk(rows.believed('b'), 'each key has its own row');
});

t.test('a row says nothing of what was sent since', async (t) => {
  const clock = manualClock();
  const rows = createStaleRows(clock);
  const before = clock.now();
  rows.note('a', true, before);
  clock.stall(60 * SECOND);
  const sentAt = clock.now();
  rows.note('a', true, before);
  clock.stall(60 * SECOND);
  t.ok(rows.believed('a', before), 'the message before may be let go');
  t.notOk(rows.believed('a', sentAt));
  clock.stall(59_999);
  t.notOk(rows.believed('a', sentAt));
  clock.stall(1);
  t.ok(rows.believed('a', sentAt));
});

t.test('a row whose last answer came before the message was sent is over for it', async (t) => {
  const clock = manualClock();
  const rows = createStaleRows(clock);
  rows.note('a', true, clock.now());
  clock.stall(240 * SECOND);
  const sentAt = clock.now();
  clock.stall(180 * SECOND); // the worker was away
  t.notOk(rows.believed('a', sentAt));
  rows.note('a', true, sentAt);
  clock.stall(119_999);
  t.notOk(rows.believed('a', sentAt), 'it begins with the first answer since');
  clock.stall(1);
  t.ok(rows.believed('a', sentAt));
});

t.test('one fresh answer ends the row', async (t) => {
  const clock = manualClock();
  const rows = createStaleRows(clock);
  rows.note('a', true);
  clock.stall(119 * SECOND);
  rows.note('a', false);
  rows.note('a', true);
  clock.stall(119 * SECOND);
  t.notOk(rows.believed('a'));
  rows.note('b', false);
  t.notOk(rows.believed('b'), 'a fresh answer begins nothing');
});

t.test('a row that nobody looked at for 15 minutes is forgotten', async (t) => {
  const clock = manualClock();
  const rows = createStaleRows(clock);
  rows.note('kept', true);
  rows.note('left', true);
  clock.stall(900 * SECOND);
  rows.note('kept', true);
  t.ok(rows.believed('left'), 'not yet');
  clock.stall(1);
  rows.note('kept', true);
  t.notOk(rows.believed('left'));
  t.ok(rows.believed('kept'));
});

t.test('a row that is over is not believed, though no other look has swept it away', async (t) => {
  const clock = manualClock();
  const rows = createStaleRows(clock);
  rows.note('a', true);
  clock.stall(900 * SECOND + 1);
  t.notOk(rows.believed('a'));
  rows.note('a', true);
  clock.stall(119 * SECOND);
  t.notOk(rows.believed('a'), 'the next stale answer begins anew');
});

t.test('our wall clock has no part in it', async (t) => {
  const clock = manualClock();
  const rows = createStaleRows(clock);
  rows.note('a', true);
  const sentAt = clock.now();
  rows.note('b', true, sentAt);
  clock.setWall(3_600 * SECOND);
  t.notOk(rows.believed('a'));
  t.notOk(rows.believed('b', sentAt));
});
