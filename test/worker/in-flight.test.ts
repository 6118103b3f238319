import t from 'tap';
import type { Received } from '../../src/queue/ports.ts';
import { createInFlight } from '../../src/worker/in-flight.ts';
import { manualClock } from '../fakes/clock.ts';

const HOUR = 3_600_000;
const message = (id: string, sentAt = 0): Received => ({ id, receipt: id, body: '', group: 'g', receives: 1, sentAt });

t.test('nothing is extended past 11 hours from its receive', (t) => {
  const clock = manualClock();
  const inFlight = createInFlight(clock);
  const [early, late] = [message('early'), message('late')];
  inFlight.add([early]);
  clock.stall(HOUR);
  inFlight.add([late]);
  t.same(inFlight.extendable(30_000), [early, late]);
  clock.stall(10 * HOUR - 30_000);
  t.same(inFlight.extendable(30_000), [early, late], 'it would end at 11 h exactly');
  clock.stall(1);
  t.same(inFlight.extendable(30_000), [late]);
  clock.stall(HOUR);
  t.same(inFlight.extendable(30_000), []);
  t.end();
});

t.test('the wall clock does not matter', (t) => {
  const clock = manualClock();
  const inFlight = createInFlight(clock);
  inFlight.add([message('a')]);
  clock.setWall(24 * HOUR);
  t.equal(inFlight.extendable(30_000).length, 1);
  t.end();
});

t.test('the oldest is told as long as it is held', (t) => {
  const inFlight = createInFlight(manualClock());
  t.equal(inFlight.oldestSentAt(), undefined);
  const [older, newer, again] = [message('a', 5), message('b', 7), message('a', 5)];
  inFlight.add([newer, older, again]);
  inFlight.remove([older]);
  t.equal(inFlight.oldestSentAt(), 5, 'the same message received a second time is held by itself');
  inFlight.remove([again, older]);
  t.equal(inFlight.oldestSentAt(), 7);
  inFlight.remove([newer]);
  t.equal(inFlight.oldestSentAt(), undefined);
  t.end();
});

t.test('what waits for a part is apart from what is looked at', (t) => {
  const clock = manualClock();
  const inFlight = createInFlight(clock);
  const [looked, waiting, unknown] = [message('a', 9), message('b', 4), message('c', 8)];
  inFlight.add([looked, waiting]);
  clock.stall(10 * HOUR);
  inFlight.setAside([waiting, unknown], 'x');
  t.equal(inFlight.waiting, 2);
  t.same(inFlight.extendable(30_000), [looked]);
  t.same(inFlight.aside('x'), [waiting, unknown]);
  t.same(inFlight.aside('y'), []);
  t.equal(inFlight.oldestSentAt(), 4);
  clock.stall(HOUR);
  t.same(inFlight.extendable(30_000, 'x'), [unknown], '11 h from the receive');
  inFlight.takeUp([unknown]);
  t.same(inFlight.extendable(30_000), [unknown], 'looked at again, with the time of its receive kept');
  t.same([inFlight.aside('x'), inFlight.waiting], [[waiting], 1]);
  inFlight.remove([waiting, unknown, unknown]);
  t.same([inFlight.aside('x'), inFlight.waiting], [[], 0]);
  t.end();
});

t.test('what is hidden counts for the age of the oldest until it is back', (t) => {
  const clock = manualClock();
  const inFlight = createInFlight(clock);
  const [held, other] = [message('a', 5), message('b', 7)];
  inFlight.add([held, other]);
  inFlight.remove([held, other]);
  inFlight.hide([held], 60);
  inFlight.hide([other], 100);
  clock.stall(64_999);
  t.equal(inFlight.oldestSentAt(), 5);
  clock.stall(1);
  t.equal(inFlight.oldestSentAt(), 7, 'the first was not received again by this process');
  inFlight.add([{ ...other, receives: 2 }]);
  t.equal(inFlight.oldestSentAt(), 7);
  inFlight.remove([...inFlight.extendable(0)]);
  t.equal(inFlight.oldestSentAt(), undefined, 'it was received again, and acknowledged');
  t.end();
});

t.test('what waits is forgotten when SQS hands it out again', (t) => {
  const inFlight = createInFlight(manualClock());
  const [waiting, other, looked] = [message('a'), message('b'), message('c')];
  inFlight.add([waiting, other, looked]);
  inFlight.setAside([waiting, other], 'x');
  const again = { ...waiting, receives: 2 };
  inFlight.add([again, { ...looked, receives: 2 }]);
  t.same(inFlight.stillWaiting([waiting, other, looked, again]), [other]);
  t.equal(inFlight.waiting, 1);
  t.equal(inFlight.extendable(0).length, 3, 'the look that is under way ends as it began');
  t.end();
});
