import t from 'tap';
import { createMeter, progressText } from '../../src/commands/meter.ts';

t.test('how far, how fast and how long: as far as that is known', async (t) => {
  const cases = [
    [0, 0, 0, 'comparing: 0'],
    [5, 10, 999, 'comparing: 5 of 10'],
    [500, 1_000, 1_000, 'comparing: 500 of 1,000, 500 a second, 1 s left'],
    [12_000, 100_000, 14_118, 'comparing: 12,000 of 100,000, 850 a second, 1 m 44 s left'],
    [1, 20_000, 1_000, 'comparing: 1 of 20,000, 1 a second, 5 h 33 m left'],
    [1, 2, 60_000, 'comparing: 1 of 2, 1 a second, 1 m 0 s left'],
    [1_000, 1_000, 2_000, 'comparing: 1,000, 500 a second'],
    [1_500, 1_000, 2_000, 'comparing: 1,500, 750 a second'],
    [1_500, undefined, 2_000, 'comparing: 1,500, 750 a second'],
  ] as const;
  for (const [done, total, ms, text] of cases) t.equal(progressText('comparing', done, total, ms), text);
});

t.test('the meter shows now and then, and counts all', async (t) => {
  const shown: string[] = [];
  let now = 0;
  const meter = createMeter((text) => shown.push(text), { monotonic: () => now });
  for (let secret = 0; secret < 1_500; secret += 1) meter.listed(2);
  t.same(shown.splice(0), ['listing Vault: 2']);
  now += 2_000;
  meter.listed(1);
  t.same(shown.splice(0), ['listing Vault: 3,001, 1,501 a second']);
  for (let secret = 0; secret < 20; secret += 1) {
    now += 100;
    meter.compared();
  }
  t.equal(shown.length, 10);
  t.equal(shown.at(-1), 'comparing: 20 of 3,001, 11 a second, 4 m 44 s left');
  const tagging = createMeter(
    (text) => shown.push(text),
    { monotonic: () => now },
    { listing: 'all', doing: 'tagging' },
  );
  tagging.compared();
  t.equal(shown.at(-1), 'tagging: 1');
  meter.crowded(1_500);
  t.match(shown.at(-1), /^1,500 messages wait on the queue, .*is a worker running\?$/, 'at once');
  meter.end();
  t.equal(shown.at(-1), '');
});
