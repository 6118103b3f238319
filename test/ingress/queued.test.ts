import t from 'tap';
import { createQueuedTally } from '../../src/ingress/queued.ts';
import { manualClock } from '../fakes/clock.ts';

t.test('all are queued when each that was expected was told of, before or after it was asked', async (t) => {
  const clock = manualClock();
  const tally = createQueuedTally();
  t.equal(await tally.all(1_000, clock), true, 'nothing was expected');
  tally.expect(3);
  tally.onQueued();
  let answer: boolean | undefined;
  const asked = tally.all(1_000, clock).then((inTime) => {
    answer = inTime;
  });
  tally.onQueued();
  await clock.advance(999);
  t.equal(answer, undefined, 'one is missing');
  tally.onQueued();
  await asked;
  t.equal(answer, true);
  t.equal(clock.sleepers, 0);
});

t.test('what takes longer than the limit is not queued in time', async (t) => {
  const clock = manualClock();
  const tally = createQueuedTally();
  tally.expect(1);
  const asked = tally.all(1_000, clock);
  await clock.advance(1_000);
  t.equal(await asked, false);
});
