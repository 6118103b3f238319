import t from 'tap';
import { createSecretsManager } from '../../src/aws/secrets-manager.ts';
import { createLimiter, type Limiter } from '../../src/limiter.ts';
import { createReplicator } from '../../src/replicate/replicate.ts';
import { AwsError, createAccount, idAt } from '../fakes/account.ts';
import { type ManualClock, manualClock } from '../fakes/clock.ts';
import { createFakeQueue } from '../fakes/queue.ts';
import { UNLIMITED } from '../fakes/secrets-manager.ts';
import { fakeSource } from '../fakes/source.ts';
import { secretsManager } from '../simulation/aws-client.ts';
import { KV, startWorker, writer } from './house.ts';

const SECOND = 1000;
/** How long a call to AWS is under way, in ms. */
const CALL = 30;
/** What AWS counts together. */
const OF_ONE_QUOTA = ['PutSecretValue', 'UpdateSecretVersionStage'];

/** A worker with so many writes a second, at an AWS that takes `quota` of versions' calls. */
function house(kv: 1 | 2, perSecond: number, concurrency: number, quota = Number.POSITIVE_INFINITY) {
  const clock = manualClock();
  const vault = fakeSource(clock, KV);
  if (kv === 1) vault.enable(KV, 1);
  const account = createAccount(clock.now, { region: 'eu-west-1', unlabelled: 'gone' }, () => undefined);
  const taken = bucket(quota, clock);
  const calls: string[] = [];
  const client = secretsManager(
    {
      askVault: () => ({ status: 500, text: '' }),
      onDescribed: () => undefined,
      onExtended: () => undefined,
      onDeleteSent: () => undefined,
      listingLag: () => 0,
      calls: {
        madeAt: 0,
        counts: new Map(),
        async send(_, { operation, effect }) {
          calls.push(operation);
          await clock.sleep(CALL);
          if (OF_ONE_QUOTA.includes(operation) && !taken()) throw new AwsError('ThrottlingException', 'slow down');
          return effect();
        },
      },
    },
    { name: 'worker', alive: true, stalledUntil: 0 },
    account,
  );
  let puts = 0;
  const fresh = () => String(++puts).padStart(24, '0');
  const replicator = (limit: () => Limiter) => {
    const limits = { versions: limit(), creations: limit(), tags: limit() };
    const destination = createSecretsManager({ client, onceClient: client, limits });
    return createReplicator({ source: vault, destination, clock, vault: 'vault', tags: {}, versionTag: true, fresh });
  };
  const queue = createFakeQueue(clock);
  return {
    clock,
    calls,
    queue,
    write: writer(vault, queue),
    start: () =>
      startWorker(
        clock,
        replicator(() => createLimiter(perSecond, clock)),
        queue,
        concurrency,
      ),
    startUnlimited: () =>
      startWorker(
        clock,
        replicator(() => UNLIMITED),
        queue,
        50,
      ),
    copy: (path: string) => {
      const secret = account.find(`kv/${path}`);
      const current = secret?.versions.get(idAt(secret, 'AWSCURRENT') ?? '')?.value;
      return { current, versions: secret?.versions.size };
    },
  };
}

/** True for so many a second. */
function bucket(perSecond: number, clock: ManualClock): () => boolean {
  let [tokens, at] = [perSecond, clock.monotonic()];
  return () => {
    tokens = Math.min(perSecond, tokens + ((clock.monotonic() - at) / SECOND) * perSecond);
    at = clock.monotonic();
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

const names = (count: number) => Array.from({ length: count }, (_, nth) => `app/${nth}`);

/** Writes all anew at once; resolves with the seconds until the last has arrived. */
async function carried(house: House, paths: readonly string[], value: string, within: number): Promise<number> {
  const began = house.clock.monotonic();
  for (const path of paths) await house.write({ ...KV, path }, value);
  const seconds = () => (house.clock.monotonic() - began) / SECOND;
  while (house.queue.size > 0 && seconds() < within) await house.clock.advance(100);
  return seconds();
}

type House = ReturnType<typeof house>;

for (const [kv, count, perSecond, concurrency, within] of [
  [2, 40, 1, 16, 90],
  [1, 40, 1, 16, 90],
  [2, 300, 3, 256, 220],
  [1, 300, 3, 256, 220],
  [2, 5, 1 / 16, 16, 180],
  [1, 5, 1 / 16, 16, 180],
] as const) {
  t.test(
    `KV v${kv}: ${count} secrets at ${perSecond} writes a second, ${concurrency} at once, all arrive`,
    async (t) => {
      const there = house(kv, perSecond, concurrency);
      const paths = names(count);
      const first = there.startUnlimited();
      await carried(there, paths, 'one', 60);
      await first.stop();
      there.calls.length = 0;
      const worker = there.start();
      const seconds = await carried(there, paths, 'two', 10 * within);
      t.ok(seconds <= within, `${seconds} s`);
      for (const path of paths) t.same(there.copy(path), { current: 'two', versions: 2 }, `${path}: no put in vain`);
      t.equal(worker.deadLetters.size, 0);
      t.notOk(worker.events().includes('secret.held'), 'and none was lost to its own wait');
      const looks = there.calls.filter((operation) => operation === 'DescribeSecret').length;
      t.ok(looks <= 3 * count, `${looks} looks`);
      await worker.stop();
    },
  );
}

t.test('new copies wait for their turn too', async (t) => {
  const there = house(2, 1, 16);
  const worker = there.start();
  const paths = names(40);
  const seconds = await carried(there, paths, 'one', 600);
  t.ok(seconds <= 45, `${seconds} s`);
  for (const path of paths) t.match(there.copy(path), { current: 'one' });
  t.notOk(worker.events().includes('secret.held'));
  await worker.stop();
});

t.test('256 at once against a quota that others use up: throttled, and all arrive without a letter', async (t) => {
  for (const kv of [1, 2] as const) {
    const there = house(kv, 50, 256, 3);
    const paths = names(300);
    const worker = there.start();
    await carried(there, paths, 'one', 600);
    const seconds = await carried(there, paths, 'two', 3_600);
    t.ok(seconds < 900, `${seconds} s`);
    for (const path of paths) t.match(there.copy(path), { current: 'two' });
    t.equal(worker.deadLetters.size, 0);
    t.equal(there.queue.size, 0);
    await worker.stop();
  }
});
