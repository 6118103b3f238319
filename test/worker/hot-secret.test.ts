import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { createReplicator } from '../../src/replicate/replicate.ts';
import { manualClock } from '../fakes/clock.ts';
import { createFakeQueue } from '../fakes/queue.ts';
import { fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { fakeSource } from '../fakes/source.ts';
import { KV, startWorker, writer } from './house.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const HOT: SecretRef = { ...KV, path: 'hot' };
const CALM: SecretRef = { ...KV, path: 'calm' };

/** Both ends on one clock; each put that Secrets Manager took or refused is noted with its time. */
function ends() {
  const clock = manualClock();
  const vault = fakeSource(clock, KV);
  const aws = fakeSecretsManager('gone', clock.now);
  const began = clock.now();
  const created = new Map<string, number[]>();
  let refusals = 0;
  const note = (path: string) => created.set(path, [...(created.get(path) ?? []), clock.now() - began]);
  const destination: typeof aws = {
    ...aws,
    create: async (secret, errand) => {
      await aws.create(secret, errand);
      note(secret.name);
    },
    put: async (arn, versionId, value, errand) => {
      await aws.put(arn, versionId, value, errand).catch((error: unknown) => {
        if (error instanceof ReplicationError && error.code === 'version_budget') refusals += 1;
        throw error;
      });
      note(arn.replace(/^.*:secret:/, '').slice(0, -7));
    },
  };
  const own = { vault: 'vault', tags: {}, versionTag: true, fresh: () => '0'.repeat(24) };
  const worker = () => createReplicator({ source: vault, destination, clock, ...own });
  return { clock, vault, aws, worker, versions: (path: string) => created.get(path) ?? [], refusals: () => refusals };
}

type Ends = ReturnType<typeof ends>;

/** The most versions that any day saw. */
const mostOfADay = (times: readonly number[]) =>
  Math.max(...times.map((end) => times.filter((time) => time >= end - DAY && time <= end).length));

t.test(
  '5,000 writes to one secret in a minute, with a restart: few versions, the last value in its turn',
  async (t) => {
    const house = ends();
    const { clock, aws, worker: replicator, versions, refusals } = house;
    const queue = createFakeQueue(clock);
    const write = writer(house.vault, queue);
    let worker = startWorker(clock, replicator(), queue);
    let received = 0;
    await write(CALM, 'calm 0');
    for (let n = 1; n <= 5_000; n += 1) {
      if (n % 10 === 0) await write(HOT, `hot ${n}`);
      else house.vault.write(HOT, `hot ${n}`); // the ingress tells of them together
      if (n % 50 === 0) await clock.advance(600);
      if (n === 4_500) received = Math.max(...queue.stored().map(({ receives }) => receives));
      if (n === 2_500) {
        await worker.stop();
        worker = startWorker(clock, replicator(), queue);
      }
      if (n % 1_000 === 0) {
        const began = clock.now();
        await write(CALM, `calm ${n}`);
        while (aws.current('kv/calm') !== `calm ${n}`) await clock.advance(20);
        t.ok(clock.now() - began < 2 * SECOND, `another secret waits for nothing: ${clock.now() - began} ms`);
      }
    }
    t.ok(
      versions('kv/hot').length <= 45,
      `${versions('kv/hot').length} versions in the first minute, 20 for each process`,
    );
    await clock.advance(40 * MINUTE);
    t.equal(aws.current('kv/hot'), 'hot 5000');
    t.equal(queue.size, 0, 'all is done with');
    t.ok(versions('kv/hot').length <= 47, `${versions('kv/hot').length} versions in all`);
    t.equal(refusals(), 0);
    t.equal(received, 1, 'waiting costs no receive');
    t.same(
      worker.events().filter((event) => event === 'secret.parked'),
      [],
    );
    await worker.stop();
  },
);

/** A message for each write waits behind the one that is looked at, so that a look follows whenever one is over. */
async function lookWithoutEnd(house: Ends, length: number, restartEvery = Number.POSITIVE_INFINITY) {
  const { clock, vault, worker } = house;
  let [written, restarted] = [0, 0];
  const writeUntilNow = () => {
    for (; written * SECOND <= clock.monotonic() - began; written += 1) vault.write(HOT, String(written));
  };
  const began = clock.monotonic();
  let replicate = worker();
  const waits: number[] = [];
  while (clock.monotonic() - began < length) {
    writeUntilNow();
    if (clock.monotonic() - restarted > restartEvery) {
      replicate = worker();
      restarted = clock.monotonic();
    }
    const order = { ref: HOT, route: 'kv', secretName: 'kv/hot', hint: undefined };
    const wait = await replicate(order, () => undefined).then(
      () => 1,
      (error: unknown) => (error instanceof ReplicationError ? (error.retryAfter ?? Number.NaN) : Number.NaN),
    );
    if (wait > 1) waits.push(wait);
    clock.stall(wait * SECOND);
  }
  writeUntilNow();
  return { waits, last: String(written - 1) };
}

for (const [what, length, expected] of [
  ['an hour', HOUR, 51],
  ['two days', 2 * DAY, 190],
] as const) {
  t.test(`a secret that is written every second for ${what}`, async (t) => {
    const house = ends();
    const { waits } = await lookWithoutEnd(house, length);
    const versions = house.versions('kv/hot');
    t.ok(mostOfADay(versions) <= 98, `at most ${mostOfADay(versions)} versions in a day`);
    t.equal(house.refusals(), 0);
    t.ok(Math.max(...waits) <= HALF_HOUR, 'half an hour at most');
    t.ok(waits.every((wait) => wait > 0));
    t.ok(versions.length >= expected, `${versions.length} versions`);
    const gaps = versions.slice(1).map((time, nth) => time - (versions[nth] ?? 0));
    t.ok(Math.max(...gaps) <= HALF_HOUR * SECOND + SECOND);
    t.ok(house.aws.secret('kv/hot').versions.size <= 100);
  });
}

const HALF_HOUR = 1_800;

t.test('the last of two days of writes arrives in its turn', async (t) => {
  const house = ends();
  const { last } = await lookWithoutEnd(house, 2 * DAY);
  const replicate = house.worker(); // a new process, which knows of no version
  const order = { ref: HOT, route: 'kv', secretName: 'kv/hot', hint: undefined };
  for (let looks = 0; house.aws.current('kv/hot') !== last && looks < 3; looks += 1) {
    const wait = await replicate(order, () => undefined).then(
      () => 0,
      (error: ReplicationError) => error.retryAfter ?? Number.NaN,
    );
    house.clock.stall(wait * SECOND);
  }
  t.equal(house.aws.current('kv/hot'), last);
});

t.test('a process that begins anew all the time runs into the limit, and recovers by counting', async (t) => {
  const house = ends();
  const { waits } = await lookWithoutEnd(house, 2 * DAY, 5 * MINUTE);
  t.ok(house.aws.secret('kv/hot').versions.size <= 100);
  t.ok(house.refusals() > 0, 'each process believes that twenty are free');
  t.ok(house.refusals() < house.versions('kv/hot').length * 6, `${house.refusals()} refusals`);
  t.ok(Math.max(...waits) <= HALF_HOUR);
  t.ok(waits.every((wait) => Number.isFinite(wait)));
});

t.test('two workers that take turns keep one budget', async (t) => {
  const house = ends();
  const both = [house.worker(), house.worker()] as const;
  const order = { ref: HOT, route: 'kv', secretName: 'kv/hot', hint: undefined };
  const began = house.clock.monotonic();
  for (let n = 0; house.clock.monotonic() - began < DAY; n += 1) {
    house.vault.write(HOT, String(n));
    const wait = await both[n % 2 === 0 ? 0 : 1](order, () => undefined).then(
      () => 1,
      (error: ReplicationError) => error.retryAfter ?? Number.NaN,
    );
    house.clock.stall(wait * SECOND);
  }
  const versions = house.versions('kv/hot');
  t.equal(house.refusals(), 0);
  t.ok(mostOfADay(versions) <= 98, `${mostOfADay(versions)} versions`);
  t.ok(versions.length > 90);
});
