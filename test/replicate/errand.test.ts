import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { createLimiter } from '../../src/limiter.ts';
import { createErrand } from '../../src/replicate/errand.ts';
import { manualClock } from '../fakes/clock.ts';
import { fakeSecretsManager, UNLIMITED } from '../fakes/secrets-manager.ts';
import { REF, world } from './world.ts';

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

t.test('what was read is fresh for ten seconds, and for five where another call must follow', async (t) => {
  const { clock, limiter, errand } = house(50);
  errand.look();
  clock.stall(5 * SECOND + 1);
  errand.stillFresh();
  await errand.turn(limiter);
  await t.rejects(errand.turn(limiter, { calls: 2 }), TOO_OLD);
  clock.stall(5 * SECOND);
  t.throws(() => errand.stillFresh(), TOO_OLD);
  errand.look();
  errand.stillFresh();
  t.notOk(errand.cameLate(), 'a stall is no wait');
});

t.test('a turn that came too late is the next look’s, and is known for a wait', async (t) => {
  const { clock, limiter, turns, errand } = house(1 / 16);
  errand.look();
  const first = errand.turn(limiter);
  const late = t.rejects(first, TOO_OLD);
  await clock.advance(20 * SECOND);
  await late;
  t.ok(errand.cameLate());
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
