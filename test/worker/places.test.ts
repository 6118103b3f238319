import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { createPlaces, type Places } from '../../src/worker/places.ts';

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

/** Adds its name once it has a place, and gives that back when told. */
const standInLine = (places: Places, name: string, got: string[], signal = new AbortController().signal) => {
  const turn = places.turn(signal);
  void turn.then((release) => got.push(release === undefined ? `${name} left` : name));
  return async () => (await turn)?.();
};

t.test('whoever waits in line gets a place in the order of asking', async (t) => {
  const places = createPlaces(1);
  const got: string[] = [];
  const releases = ['a', 'b', 'c'].map((name) => standInLine(places, name, got));
  await setImmediate();
  t.same(got, ['a'], 'a free place is taken at once');
  for (const release of releases) {
    await release();
    await setImmediate();
  }
  t.same(got, ['a', 'b', 'c']);
  t.equal(await places.free(), 1);
});

t.test('the line and whoever asks for free places take turns', async (t) => {
  const places = createPlaces(1);
  const first = places.take();
  const got: string[] = [];
  const releases = ['a', 'b', 'c'].map((name) => standInLine(places, name, got));
  const asked = places.free();
  first();
  await setImmediate();
  t.same(got, ['a']);
  t.equal(await isDone(asked), false);
  await releases[0]?.();
  t.equal(await isDone(asked), true);
  t.same(got, ['a']);
  const fresh = places.take();
  fresh();
  await setImmediate();
  t.same(got, ['a', 'b']);
});

t.test('whoever asks again and again without taking keeps nobody waiting', async (t) => {
  const places = createPlaces(1);
  const first = places.take();
  const got: string[] = [];
  standInLine(places, 'a', got);
  const release = standInLine(places, 'b', got);
  first();
  await setImmediate();
  t.same(got, ['a']);
  t.equal(await isDone(places.free()), false);
  void release;
  t.same(got, ['a'], 'b has no place yet');
});

t.test('who leaves the line at an abort takes no place, then or later', async (t) => {
  const places = createPlaces(1);
  const first = places.take();
  const leaving = new AbortController();
  const got: string[] = [];
  standInLine(places, 'a', got, leaving.signal);
  standInLine(places, 'b', got);
  leaving.abort();
  standInLine(places, 'c', got, leaving.signal);
  await setImmediate();
  t.same(got, ['a left', 'c left']);
  first();
  await setImmediate();
  t.same(got, ['a left', 'c left', 'b']);
});
