import t from 'tap';
import { type FailureCode, ReplicationError } from '../../src/errors.ts';
import { createVersionBudget, puttingInTurn } from '../../src/replicate/put-in-turn.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { manualClock } from '../fakes/clock.ts';
import { AT_ONCE, fakeSecretsManager } from '../fakes/secrets-manager.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A budget over what AWS is made to tell, in ms before the test began. */
function house(told: (arn: string) => readonly number[] | FailureCode = () => []) {
  const clock = manualClock();
  const counts: string[] = [];
  const began = clock.now();
  const budget = createVersionBudget(clock, async (arn) => {
    counts.push(arn);
    const ages = told(arn);
    if (typeof ages === 'string') throw new ReplicationError(ages, 'refused');
    return ages.map((age) => began - age);
  });
  const puts = (arn: string, times: number) => {
    for (let n = 0; n < times; n += 1) budget.put(arn);
  };
  return { clock, budget, counts, puts };
}

const ages = (count: number, apart = 0) => Array.from({ length: count }, (_, nth) => nth * apart);

t.test('twenty go at once and the next waits, which delays no other secret', async (t) => {
  const { budget, clock, puts } = house(() => ages(20));
  t.equal(await budget.before('a'), 0);
  puts('a', 20);
  t.equal(await budget.before('a'), 30);
  t.equal(await budget.before('b'), 0);
  await clock.advance(29_500);
  t.equal(await budget.before('a'), 1, 'whole seconds, rounded up');
  await clock.advance(500);
  t.equal(await budget.before('a'), 0);
});

t.test('AWS is asked from the twentieth put on, when its turn has come', async (t) => {
  const { budget, clock, counts, puts } = house(() => ages(20));
  puts('a', 18);
  await budget.before('a');
  t.same(counts, []);
  puts('a', 1);
  t.equal(await budget.before('a'), 30, 'another worker put one too');
  t.equal(await budget.before('a'), 30);
  await clock.advance(30_000);
  t.equal(await budget.before('a'), 0);
  t.same(counts, ['a', 'a']);
  puts('a', 1);
  t.equal(await budget.before('a'), 30);
  t.same(counts, ['a', 'a'], 'not before, by what is known already');
});

t.test('what AWS tells is more than what was put here: others put too', async (t) => {
  const { budget, puts } = house(() => ages(60, MINUTE));
  puts('a', 19);
  t.ok((await budget.before('a')) > 25 * 60);
});

t.test('what AWS does not tell yet is known here', async (t) => {
  const { budget, puts } = house(() => ages(15, MINUTE));
  puts('a', 20);
  t.equal(await budget.before('a'), 30);
  t.equal(await budget.refused('a'), 300);
  t.equal(await budget.before('a'), 30, 'and is not counted twice');
});

t.test("versions from before the day, and a clock of AWS's that is ahead", async (t) => {
  const old = house(() => [...ages(19), ...ages(81).map((age) => DAY + 2 * MINUTE + age)]);
  old.puts('a', 19);
  t.equal(await old.budget.before('a'), 0);
  const ahead = house(() => ages(20).map((age) => age - 5 * MINUTE));
  ahead.puts('a', 19);
  t.equal(await ahead.budget.before('a'), 30, 'the future is now');
});

t.test('a setting of the wall clock changes nothing', async (t) => {
  const { budget, clock, puts } = house(() => ages(20));
  puts('a', 20);
  clock.setWall(DAY);
  t.equal(await budget.before('a'), 30);
  clock.setWall(-3 * DAY);
  t.equal(await budget.before('a'), 30);
});

t.test('a refusal is counted at AWS, and waits five minutes at least', async (t) => {
  const full = house(() => ages(98, MINUTE));
  t.equal(await full.budget.refused('a'), 1800, 'a process that knew of none');
  t.equal(await full.budget.before('a'), 1800);
  const other = house(() => ages(10));
  t.equal(await other.budget.refused('a'), 300, 'AWS counts otherwise than it tells');
  t.equal(await other.budget.before('a'), 0);
});

t.test('without the permission to count, what was put here is what is known', async (t) => {
  const { budget, puts } = house(() => 'destination_forbidden');
  puts('a', 19);
  t.equal(await budget.before('a'), 0);
  puts('a', 1);
  t.equal(await budget.before('a'), 30);
  t.equal(await budget.refused('a'), 300);
});

t.test('another failure of the count is that of the put', async (t) => {
  const { budget, puts } = house(() => 'destination_throttled');
  puts('a', 19);
  await t.rejects(budget.before('a'), { code: 'destination_throttled' });
  await t.rejects(budget.refused('a'), { code: 'destination_throttled' });
});

t.test('a day later all is forgotten', async (t) => {
  const { budget, clock, counts, puts } = house(() => ages(20));
  puts('a', 60);
  await clock.advance(DAY + MINUTE);
  t.equal(await budget.before('a'), 0);
  puts('b', 1);
  await budget.before('a');
  t.same(counts, []);
});

t.test('ten thousand secrets are remembered, and what was put longest ago is forgotten', async (t) => {
  const { budget, clock, puts } = house(() => ages(20));
  puts('first', 20);
  puts('second', 20);
  puts('first', 1);
  await clock.advance(1);
  for (let n = 0; n < 9_999; n += 1) budget.put(`other ${n}`);
  t.equal(await budget.before('first'), 30);
  t.equal(await budget.before('second'), 0);
});

/** A copy that stands, and puts in turn; `refuse` makes AWS refuse the next one. */
async function destinationHouse() {
  const clock = manualClock();
  const aws = fakeSecretsManager('gone', clock.now);
  const { arn } = aws.createByHand('kv/app', { value: '0' });
  const budget = createVersionBudget(clock, aws.versionTimes);
  const { put, describe } = puttingInTurn(aws, budget);
  let serial = 0;
  const putOne = () => {
    serial += 1;
    return put(arn, `v${serial}-20261124T214057235646616Z-${'0'.repeat(24)}`, new Sensitive('canary'), AT_ONCE);
  };
  const refuse = (code: FailureCode) =>
    aws.interpose('before', 'put', () => {
      throw new ReplicationError(code, 'refused');
    });
  const times = async (count: number) => {
    for (let n = 0; n < count; n += 1) await putOne();
  };
  return { clock, aws, arn, putOne, refuse, times, describe };
}

t.test('a put whose turn has not come is a hold that says when, and is not sent', async (t) => {
  const { clock, aws, arn, putOne, times } = await destinationHouse();
  await times(19);
  t.equal(aws.secret('kv/app').versions.size, 20);
  const held = await putOne().catch((error: unknown) => error);
  t.match(held, {
    code: 'version_budget',
    treatment: 'hold',
    retryAfter: 30,
    message: /^arn:.* looked at again in 30 s$/,
  });
  t.notMatch(String(held), /canary/);
  t.equal(aws.secret('kv/app').versions.size, 20);
  await clock.advance(30_000);
  await putOne();
  t.equal(aws.secret('kv/app').versions.size, 21);
  t.match(arn, /kv\/app/);
});

t.test('everything else goes as before', async (t) => {
  const { describe, arn } = await destinationHouse();
  t.match(await describe('kv/app'), { arn });
});

t.test('a refusal of AWS is a hold with a time too, whatever was known', async (t) => {
  const { putOne, refuse, aws } = await destinationHouse();
  refuse('version_budget');
  t.match(await putOne().catch((error: unknown) => error), {
    code: 'version_budget',
    retryAfter: 300,
    cause: { message: 'refused' },
  });
  t.equal(aws.operations().filter((operation) => operation === 'count').length, 1);
});

t.test('a put without an answer may have arrived, one that was refused has not', async (t) => {
  for (const [code, counted] of [
    [undefined, 1],
    ['destination_unavailable', 1],
    ['destination_throttled', 0],
    ['promotion_conflict', 0],
  ] as const) {
    const aws = fakeSecretsManager();
    const { arn } = aws.createByHand('kv/app', { value: '0' });
    const counts: string[] = [];
    const budget = { before: async () => 0, refused: async () => 1, put: (of: string) => void counts.push(of) };
    if (code !== undefined) {
      aws.interpose('before', 'put', () => {
        throw new ReplicationError(code, 'refused');
      });
    }
    const put = puttingInTurn(aws, budget).put(
      arn,
      `v1-20261124T214057235646616Z-${'0'.repeat(24)}`,
      new Sensitive('1'),
      AT_ONCE,
    );
    await (code === undefined ? put : t.rejects(put, { code }));
    t.same(
      counts,
      Array.from({ length: counted }, () => arn),
      code ?? 'taken',
    );
  }
});

t.test('an error of no known kind is thrown on', async (t) => {
  const { putOne, aws } = await destinationHouse();
  const broken = new TypeError('broken');
  aws.interpose('before', 'put', () => {
    throw broken;
  });
  await t.rejects(putOne(), broken);
});
