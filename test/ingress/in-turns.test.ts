import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { inTurns } from '../../src/ingress/in-turns.ts';
import { manualClock } from '../fakes/clock.ts';

t.test('a stream is paused after a chunk that took long, until all others had their turn', async (t) => {
  const clock = manualClock();
  const events: string[] = [];
  const stream = { pause: () => events.push('pause'), resume: () => events.push('resume') };
  let cost = 5;
  const take = inTurns(stream, clock, (chunk) => {
    events.push(String(chunk));
    clock.stall(cost);
  });
  take(Buffer.from('cheap'));
  await setImmediate();
  cost = 6;
  take(Buffer.from('dear'));
  t.same(events, ['cheap', 'dear', 'pause']);
  await setImmediate();
  t.same(events, ['cheap', 'dear', 'pause', 'resume']);
});
