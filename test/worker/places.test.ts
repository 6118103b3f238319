import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { createPlaces } from '../../src/worker/places.ts';

/** Whether the promise has resolved by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await setImmediate();
  return done;
}

t.test('there is room for so many, and each release makes room for one', async (t) => {
  const places = createPlaces(2);
  const first = places.take();
  t.equal(await isDone(places.free()), true);
  places.take();
  const waiting = places.free();
  t.equal(await isDone(waiting), false);
  first();
  t.equal(await isDone(waiting), true);
});

t.test('what was taken below zero must come back first', async (t) => {
  const places = createPlaces(1);
  const releases = [places.take(), places.take(), places.take()];
  const waiting = places.free();
  releases.pop()?.();
  releases.pop()?.();
  t.equal(await isDone(waiting), false);
  releases.pop()?.();
  t.equal(await isDone(waiting), true);
});
