import t from 'tap';
import { createReadiness, type Part } from '../../src/admin/readiness.ts';
import { manualClock } from '../fakes/clock.ts';

const never = () => new Promise<never>(() => {});

t.test('the parts that are not able are named, whichever way they say so', async (t) => {
  const parts: Part[] = [
    { name: 'yes', able: () => true },
    { name: 'no', able: () => false },
    { name: 'resolves', able: async () => ({ anything: 1 }) },
    { name: 'resolves to undefined', able: async () => undefined },
    { name: 'resolves to false', able: async () => false },
    { name: 'rejects', able: async () => Promise.reject(new Error('canary')) },
    {
      name: 'throws',
      able: () => {
        throw new Error('canary');
      },
    },
  ];
  t.same(await createReadiness(parts, manualClock()).lacking(), ['no', 'resolves to false', 'rejects', 'throws']);
  t.same(await createReadiness([], manualClock()).lacking(), []);
});

t.test('a part that does not answer within two seconds is not able; the others are not held up longer', async (t) => {
  const clock = manualClock();
  const readiness = createReadiness(
    [
      { name: 'slow', able: () => clock.sleep(1_999) },
      { name: 'stuck', able: never },
    ],
    clock,
  );
  const answer = readiness.lacking();
  await clock.advance(2_000);
  t.same(await answer, ['stuck']);
  t.equal(clock.sleepers, 0, 'no timer is left behind');
});

t.test('an answer is good for a second, and asked for once however many ask', async (t) => {
  const clock = manualClock();
  let asked = 0;
  let able = true;
  const part: Part = {
    name: 'part',
    able: async () => {
      asked += 1;
      return able;
    },
  };
  const readiness = createReadiness([part], clock);
  await Promise.all([readiness.lacking(), readiness.lacking()]);
  able = false;
  await clock.advance(1_000);
  t.same(await readiness.lacking(), []);
  t.equal(asked, 1);
  await clock.advance(1);
  t.same(await readiness.lacking(), ['part']);
  t.equal(asked, 2);
});
