import t from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { createBelieved, type Verdict } from '../../src/vault/believed.ts';

const STANDS: Verdict = { standing: 'stands', changed: false };

function house(verdict: () => Promise<Verdict>, lasts: number) {
  let [now, judged] = [0, 0];
  const judge = async () => {
    judged += 1;
    return verdict();
  };
  const ask = createBelieved(judge, lasts, () => now);
  return {
    judged: () => judged,
    pass: (ms: number) => {
      now += ms;
    },
    ask: (token = 's.1') => ask(new Sensitive(token)),
  };
}

t.test('a token that stands is believed for a while, and no other for it', async (t) => {
  const { ask, pass, judged } = house(async () => STANDS, 10_000);
  t.strictSame(await ask(), { ...STANDS, believed: false });
  pass(9_999);
  t.strictSame(await ask(), { ...STANDS, believed: true });
  t.equal(judged(), 1);
  pass(1);
  t.match(await ask(), { believed: false });
  t.match(await ask('s.2'), { believed: false });
  t.equal(judged(), 3);
});

t.test('refusals of the same time are judged once', async (t) => {
  const { ask, judged } = house(async () => STANDS, 1);
  const verdicts = await Promise.all([ask(), ask(), ask()]);
  t.same(
    verdicts.map(({ believed }) => believed),
    [false, true, true],
  );
  t.equal(judged(), 1);
});

t.test('what is not found to stand is judged anew', async (t) => {
  for (const verdict of [
    { standing: 'dead', changed: false },
    { standing: 'stands', changed: true },
  ] as const) {
    const { ask, judged } = house(async () => verdict, 10_000);
    for (const _ of [1, 2]) t.match(await ask(), { ...verdict, believed: false });
    t.equal(judged(), 2);
  }
  const failing = house(() => Promise.reject(new Error('no answer')), 10_000);
  for (const _ of [1, 2]) await t.rejects(failing.ask(), { message: 'no answer' });
  t.equal(failing.judged(), 2);
});

t.test('where nothing is believed each refusal is judged, at the same time too', async (t) => {
  const { ask, judged } = house(async () => STANDS, 0);
  for (const { believed } of await Promise.all([ask(), ask()])) t.notOk(believed);
  t.equal(judged(), 2);
});
