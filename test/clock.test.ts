import t from 'tap';
import { systemClock } from '../src/clock.ts';
import { manualClock } from './fakes/clock.ts';

t.test('the system clock tells the time', async (t) => {
  const before = Date.now();
  const now = systemClock.now();
  t.ok(now >= before && now <= Date.now());
  const began = systemClock.monotonic();
  await systemClock.sleep(5);
  t.ok(systemClock.monotonic() - began >= 4);
});

t.test('a sleep ends early, and without an error, when its signal aborts', async (t) => {
  const aborting = new AbortController();
  const sleeping = systemClock.sleep(60_000, aborting.signal);
  aborting.abort();
  t.equal(await sleeping, undefined);
  t.equal(await systemClock.sleep(60_000, aborting.signal), undefined, 'aborted before');
});

t.test('the manual clock wakes sleepers at their times, in order', async (t) => {
  const clock = manualClock('2026-01-01T00:00:00.000Z');
  const woken: [string, number][] = [];
  const began = clock.monotonic();
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push([name, clock.monotonic() - began]);
  };
  const late = sleep('late', 30).then(() => sleep('again', 10));
  void sleep('early', 10);
  void sleep('never', 1_000);
  await clock.advance(9);
  t.same(woken, []);
  await clock.advance(91);
  await late;
  t.same(woken, [
    ['early', 10],
    ['late', 30],
    ['again', 40],
  ]);
  t.equal(clock.sleepers, 1);
  t.equal(new Date(clock.now()).toISOString(), '2026-01-01T00:00:00.100Z');
});

t.test('the manual clock stalls, jumps and aborts', async (t) => {
  const clock = manualClock('2026-01-01T00:00:00.000Z');
  const began = clock.monotonic();
  const aborting = new AbortController();
  const aborted = clock.sleep(1_000, aborting.signal);
  const stalled = clock.sleep(50);
  clock.stall(100);
  t.equal(clock.monotonic() - began, 100);
  clock.setWall(-100);
  t.equal(clock.now(), Date.parse('2026-01-01T00:00:00.000Z'));
  aborting.abort();
  await aborted;
  await clock.sleep(1_000, aborting.signal);
  await clock.advance(0);
  await stalled;
  t.equal(clock.monotonic() - began, 100, 'time never runs backwards for a late sleeper');
  t.equal(clock.sleepers, 0);
});
