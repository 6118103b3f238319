import t from 'tap';
import { createSpaced } from '../../src/vault/spaced.ts';
import { standingClock } from './house.ts';

t.test('those who ask at the same time share one run', async (t) => {
  let runs = 0;
  const spaced = createSpaced(async () => {
    runs += 1;
    return runs;
  }, standingClock().timing);
  t.strictSame(await Promise.all([spaced.run(), spaced.run(), spaced.run()]), [1, 1, 1]);
  t.equal(await spaced.run(), 2);
});

t.test('after a failure nothing runs for a while, longer after each, and the failure is given again', async (t) => {
  const { timing, pass } = standingClock();
  let runs = 0;
  const spaced = createSpaced(async () => {
    runs += 1;
    throw new Error(`failure ${runs}`);
  }, timing);
  for (const [at, wait] of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
    await t.rejects(spaced.run(), { message: `failure ${at + 1}` });
    pass(wait - 1);
    await t.rejects(spaced.run(), { message: `failure ${at + 1}` });
    t.equal(runs, at + 1);
    pass(1);
  }
});

t.test('a success that lasts ends the row of failures, one that does not is one of them', async (t) => {
  const { timing, pass } = standingClock();
  let fails = true;
  const spaced = createSpaced(async () => {
    if (fails) throw new Error('down');
    return 'up';
  }, timing);
  await t.rejects(spaced.run());
  pass(1000);
  await t.rejects(spaced.run());
  pass(2000);
  fails = false;
  t.equal(await spaced.run(), 'up');
  pass(9999);
  spaced.fail(new Error('not for long'));
  pass(3999);
  await t.rejects(spaced.run(), { message: 'not for long' }, 'the third failure in a row');
  pass(1);
  t.equal(await spaced.run(), 'up');
  pass(10_000);
  spaced.fail(new Error('later'));
  await t.rejects(spaced.run(), { message: 'later' });
  pass(1000);
  t.equal(await spaced.run(), 'up', 'the first failure of a new row');
});
