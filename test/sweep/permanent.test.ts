import t from 'tap';
import type { Finding, Kind } from '../../src/sweep/drift.ts';
import { createTally } from '../../src/sweep/report.ts';
import { at, house, route } from './house.ts';

t.test('a report names what no worker can end, and why', async (t) => {
  const { source, run, work, ends } = house({ routes: [route('kv', ['eu', 'us'])] });
  for (const path of ['a', 'b', 'c']) source.write(at(path), '{}');
  ends.eu.createByHand('kv/a', { value: 'theirs' });
  await run();
  await work();
  for (const path of ['b', 'c']) source.purge(at(path));
  ends.eu.secret('kv/b').tags.set('vaultferry:source', 'kv/c');
  ends.us.secret('kv/c').tags.set('vaultferry:source', 'elsewhere/c');
  const { permanent } = await run();
  t.strictSame(permanent, {
    eu: [
      { kind: 'orphan', ref: 'kv/c', secretName: 'kv/b' },
      { kind: 'conflict', ref: 'kv/a', secretName: 'kv/a', code: 'not_owned' },
    ],
    us: [{ kind: 'orphan', secretName: 'kv/c' }],
  });
});

t.test('what is refused is named with its code', async (t) => {
  const { source, run } = house({ maxSecrets: 0 });
  source.write(at('a'), '{}');
  t.strictSame((await run()).permanent, {
    eu: [{ kind: 'refused', ref: 'kv/a', secretName: 'kv/a', code: 'limit_reached' }],
  });
});

t.test('of each kind and destination the first twenty are named, and all are counted', async (t) => {
  const tally = createTally();
  const add = (kind: Kind, destination: string, count: number) => {
    for (let index = 0; index < count; index += 1) {
      const finding: Finding = { ref: at(`s${index}`), destination, secretName: `kv/s${index}`, kind };
      tally.add(finding);
    }
  };
  add('orphan', 'eu', 1_000);
  add('conflict', 'eu', 21);
  add('conflict', 'us', 1);
  add('stale', 'us', 5);
  const { found, permanent } = tally.report(0);
  t.strictSame(found, { eu: { orphan: 1_000, conflict: 21 }, us: { conflict: 1, stale: 5 } });
  t.equal(permanent['eu']?.length, 40);
  t.equal(permanent['us']?.length, 1);
  t.match(permanent['eu']?.[39], { kind: 'conflict', secretName: 'kv/s19' });
});
