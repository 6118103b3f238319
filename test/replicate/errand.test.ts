import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { createLimiter } from '../../src/limiter.ts';
import { createErrand } from '../../src/replicate/errand.ts';
import { manualClock } from '../fakes/clock.ts';
import { fakeSecretsManager, UNLIMITED } from '../fakes/secrets-manager.ts';
import { NAME, REF, world } from './world.ts';

const SECOND = 1000;
const TOO_OLD = { code: 'promotion_conflict', message: /of kv\/app\/db is \d+ s old/ };

function house(perSecond = 1) {
  const clock = manualClock();
  const turns: number[] = [];
  const inner = createLimiter(perSecond, clock);
  const limiter: typeof inner = {
    ...inner,
    turn: async (need) => {
      await inner.turn(need);
      turns.push(need?.calls ?? 1);
    },
    giveBack: (calls) => void turns.push(-calls),
  };
  return { clock, limiter, turns, errand: createErrand(clock, REF) };
}

t.test('what was read is fresh for ten seconds', async (t) => {
  const { clock, limiter, errand } = house(50);
  errand.look();
  clock.stall(10 * SECOND);
  errand.stillFresh();
  await errand.turn(limiter);
  await errand.turn(limiter, { calls: 2 });
  t.equal(errand.lostTo(), undefined);
  clock.stall(1);
  t.throws(() => errand.stillFresh(), TOO_OLD);
  await t.rejects(errand.turn(limiter), TOO_OLD);
  errand.look();
  errand.stillFresh();
  t.equal(errand.lostTo(), 'age', 'a stall is no wait');
});

/** How a put fares whose reading and then its turn took so many ms; and then its next look, which reads as slowly. */
async function putAfter(reading: number, waiting: number) {
  const { clock, limiter, errand } = house();
  const slow: typeof limiter = { ...limiter, turn: async () => clock.stall(waiting) };
  const look = () => {
    errand.look();
    clock.stall(reading);
    return errand.turn(slow, { calls: 2 }).then(
      () => 'put',
      () => 'too old',
    );
  };
  return [await look(), await look(), errand.lostTo()];
}

t.test('a put that waited for its turn must be fresh for half of that, since its promotion follows', async (t) => {
  t.same(await putAfter(0, 5 * SECOND), ['put', 'put', undefined]);
  t.same(await putAfter(0, 5 * SECOND + 1), ['too old', 'put', 'wait']);
  t.same(await putAfter(5.2 * SECOND, 4 * SECOND), ['too old', 'put', 'wait'], 'the next look acts at once');
});

t.test('where reading takes the time, another look would be no fresher', async (t) => {
  t.same(await putAfter(5.2 * SECOND, 0), ['put', 'put', undefined]);
  t.same(await putAfter(5.2 * SECOND, SECOND), ['put', 'put', undefined], 'and little by a short wait');
  t.same(await putAfter(10 * SECOND, 0), ['put', 'put', undefined]);
  t.same(await putAfter(10 * SECOND + 1, 0), ['too old', 'too old', 'age']);
  t.same(await putAfter(11 * SECOND, 20 * SECOND), ['too old', 'too old', 'age']);
});

t.test('a turn that came too late is the next look’s, and is known for a wait', async (t) => {
  const { clock, limiter, turns, errand } = house(1 / 16);
  errand.look();
  const first = errand.turn(limiter);
  const late = t.rejects(first, TOO_OLD);
  await clock.advance(20 * SECOND);
  await late;
  t.equal(errand.lostTo(), 'wait');
  errand.look();
  await errand.turn(limiter);
  t.same(turns, [1], 'and is waited for once');
  errand.end(false);
  t.same(turns, [1], 'and is waited for once');
});

t.test('a put’s second turn is its promotion’s', async (t) => {
  const { limiter, turns, errand } = house(50);
  await errand.turn(limiter, { calls: 2 });
  await errand.turn(limiter, { first: true });
  t.same(turns, [2]);
  await errand.turn(limiter, { first: true });
  t.same(turns, [2, 1]);
});

t.test('what was not used is given back, but not where AWS throttles', async (t) => {
  const { limiter, turns, errand } = house(50);
  await errand.turn(limiter, { calls: 2 });
  errand.end(false);
  errand.end(false);
  t.same(turns, [2, -1], 'once');
  await errand.turn(limiter, { calls: 2 });
  errand.end(true);
  t.same(turns, [2, -1, 2]);
});

/** A worker whose every promotion is lost, after its put has waited for so many ms. */
async function lostAfter(wait: number) {
  const aws = fakeSecretsManager();
  const there = world({
    destination: {
      ...aws,
      put: async (_arn, _versionId, _value, errand) => {
        const turn = async () => there.clock.stall(wait);
        await errand.turn({ ...UNLIMITED, turn });
        throw new ReplicationError('promotion_conflict', 'overtaken');
      },
    },
  });
  there.vault.write(REF, 'one');
  await there.run();
  there.vault.write(REF, 'two');
  return there.run().catch((error: unknown) => error);
}

t.test('a message that its own wait has kept from success is held, not counted as failing', async (t) => {
  t.match(await lostAfter(20 * SECOND), { code: 'destination_throttled', treatment: 'hold', message: /too old/ });
  t.match(await lostAfter(SECOND), { code: 'promotion_conflict', message: 'overtaken' });
});

/** A worker that changes a secret while each answer of Vault takes so many ms. */
function readingSlowly(ms: number) {
  const there = world();
  const { vault, clock } = there;
  const reads = { count: 0 };
  const source: typeof vault = {
    ...vault,
    read: async (ref) => {
      const state = await vault.read(ref);
      reads.count += 1;
      clock.stall(ms);
      return state;
    },
  };
  return { ...there, reads, slowly: there.worker({ source }) };
}

t.test('a Vault that takes more than five seconds is replicated from, with one read', async (t) => {
  const { vault, aws, run, slowly, reads } = readingSlowly(5.2 * SECOND);
  vault.write(REF, 'one');
  await run();
  vault.write(REF, 'two');
  t.match(await slowly(), { outcome: 'updated' });
  t.same([aws.current(NAME), reads.count], ['two', 1]);
});

t.test('a Vault that takes too long for any answer to be fresh is waited for, and no message parked', async (t) => {
  const { vault, aws, run, slowly, reads } = readingSlowly(12 * SECOND);
  vault.write(REF, 'one');
  await run();
  vault.write(REF, 'two');
  const error: unknown = await slowly().catch((thrown: unknown) => thrown);
  t.match(error, {
    code: 'source_stale',
    treatment: 'hold',
    retryAfter: 30,
    message: /^until kv\/app\/db, .* is slow; /,
  });
  t.same([aws.current(NAME), reads.count], ['one', 5]);
});
