import t from 'tap';
import { until } from '../servers/until.ts';
import { stepsBack, watchHistory } from './history.ts';
import { startWorld } from './world.ts';

const BUSY_FOR = 4_000;
/** A killed worker's groups stay hidden for the visibility timeout. */
const EQUAL_WITHIN = 45_000;

const world = await startWorld({
  socket: 'unix',
  ferries: { door: { roles: ['ingress'] }, one: { roles: ['worker'] }, two: { roles: ['worker'] } },
});
t.teardown(world.end);
const { aws, equal, ferries, recorder, write } = world;
const paths = Array.from({ length: 10 }, (_, number) => `hot/${number}`);

/** Writes one secret again and again, each time as soon as the last one is done; gives the number of writes. */
async function writer(path: string, signal: AbortSignal): Promise<number> {
  for (let writes = 0; ; writes += 1) {
    if (signal.aborted) return writes;
    await write(path);
  }
}

t.test('ten writers, two workers, one of them killed: never backwards, and equal in the end', async (t) => {
  const watching = new AbortController();
  const history = watchHistory(
    aws,
    paths.map((path) => `kv/${path}`),
    watching.signal,
  );
  const busy = AbortSignal.timeout(BUSY_FOR);
  const writing = Promise.all(paths.map((path) => writer(path, busy)));
  const replicated = (name: string) =>
    ferries
      .get(name)
      .logs()
      .filter(({ event }) => event === 'secret.replicated').length;
  // Ten secrets get a version each, so one of two workers gets five; after them comes what the version budget allows.
  const busiest = () => ['one', 'two'].find((name) => replicated(name) >= 5);
  const killed = await until(busiest, { what: 'a worker to be in the middle of it', interval: 15 });
  await ferries.kill(killed);
  await ferries.restart(killed);
  const writes = await writing;
  await equal(paths, EQUAL_WITHIN);
  watching.abort();
  const { seen, looks } = await history;
  for (const [name, ids] of seen) t.strictSame(stepsBack(ids), [], `${name} never went back`);
  const versions = [...seen.values()].reduce((sum, ids) => sum + ids.length, 0);
  t.comment(`${writes.reduce((sum, count) => sum + count, 0)} writes, ${versions} versions seen in ${looks} looks`);
  t.ok(versions > paths.length, 'more versions were seen on their way than the last ones');
  const swaps = recorder.calls.filter(({ operation }) => operation === 'UpdateSecretVersionStage');
  t.ok(
    swaps.every(({ request }) => typeof request['RemoveFromVersionId'] === 'string'),
    'no swap without its guard',
  );
});

t.test('without a dead worker, a burst is equal soon after', async () => {
  const busy = AbortSignal.timeout(1_000);
  const fresh = paths.map((path) => `${path}/fresh`); // the others may have used up what goes at once of a day's versions
  await Promise.all(fresh.map((path) => writer(path, busy)));
  await equal(fresh, EQUAL_WITHIN);
});

t.test('nothing was parked, and no value stands where it should not', async (t) => {
  t.strictSame(await aws.letters(), []);
  t.strictSame(await world.leaks(), []);
});

t.test('the history is judged by time, then by number', (t) => {
  const id = (version: number, second: number) =>
    `v${version}-202611242140${second}000000000Z-000000000000000000000000`.replace('2026112421', '20261124T21');
  t.strictSame(stepsBack([id(1, 10), id(2, 11), id(10, 11), id(1, 12)]), []);
  t.equal(stepsBack([id(1, 10), id(2, 11), id(1, 10)]).length, 1);
  t.equal(stepsBack([id(10, 11), id(9, 11)]).length, 1);
  t.end();
});
