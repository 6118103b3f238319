import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { createKvVersions, type RoutedMount } from '../../src/ingress/kv-versions.ts';
import type { Mount } from '../../src/replicate/source.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';

const AUTO: RoutedMount = { namespace: '', mount: 'kv', kvVersion: 'auto' };
const HOUR = 3_600_000;

/** Runs the questions against `answer` until the test ends; `asked` has the mounts as they were asked for. */
function house(mounts: readonly RoutedMount[], answer: (mount: string) => 1 | 2 | undefined) {
  const clock = manualClock();
  const { log, lines } = recordingLog();
  const asked: string[] = [];
  const ask = async ({ namespace, mount }: { namespace: string; mount: string }): Promise<Mount> => {
    const name = namespace === '' ? mount : `${namespace}:${mount}`;
    asked.push(name);
    const kv = answer(name);
    if (kv === undefined) throw new ReplicationError('source_unavailable', `Vault did not answer for ${name}`);
    return { accessor: 'kv_1', kv };
  };
  const events: string[] = [];
  const onKnown = () => events.push('known');
  const onChanged = () => events.push('changed');
  const versions = createKvVersions(mounts, { ask, clock, log, onKnown, onChanged });
  const ending = new AbortController();
  const ended = versions.run(ending.signal);
  const end = () => {
    ending.abort();
    return ended;
  };
  return { clock, lines, asked, events, versions, end };
}

t.test('configured versions are never asked for', async (t) => {
  const mounts: RoutedMount[] = [
    { ...AUTO, kvVersion: 2 },
    { ...AUTO, mount: 'old', kvVersion: 1 },
  ];
  const { versions, asked, clock, end } = house(mounts, () => undefined);
  t.equal(versions.known(), true);
  t.same([versions.versionOf(mounts[0] ?? AUTO), versions.versionOf(mounts[1] ?? AUTO)], [2, 1]);
  versions.askNow();
  await clock.advance(3 * HOUR);
  t.equal(versions.known(), true);
  t.same(asked, []);
  await end();
});

t.test('an unknown mount is asked for until Vault answers, with growing pauses and one warning', async (t) => {
  let up = false;
  const { versions, asked, clock, lines, end } = house([AUTO], () => (up ? 2 : undefined));
  await clock.advance(0);
  t.equal(asked.length, 1);
  t.equal(versions.known(), false);
  await clock.advance(60_000);
  t.ok(asked.length >= 6 && asked.length <= 12, `asked ${asked.length} times in the first minute`);
  t.match(lines, [{ level: 'warn', event: 'mount.version_unknown', mount: 'kv', err: { code: 'source_unavailable' } }]);
  t.equal(lines.length, 1);
  up = true;
  await clock.advance(10_000);
  t.equal(versions.known(), true);
  t.equal(versions.versionOf(AUTO), 2);
  await end();
});

t.test('as long as one is unknown all are asked for again; then hourly', async (t) => {
  const kv: Record<string, 1 | 2 | undefined> = { kv: 2, 'team:old': undefined };
  const old: RoutedMount = { namespace: 'team', mount: 'old', kvVersion: 'auto' };
  const { versions, asked, clock, end } = house([AUTO, old], (name) => kv[name]);
  await clock.advance(1_500);
  t.same(asked, ['kv', 'team:old', 'kv', 'team:old']);
  kv['team:old'] = 1;
  await clock.advance(5_000);
  t.same(asked.splice(0).slice(4), ['kv', 'team:old']);
  t.equal(versions.versionOf(old), 1);
  t.equal(versions.versionOf({ namespace: '', mount: 'old' }), undefined, 'the namespace counts');
  kv['kv'] = 1;
  await clock.advance(HOUR);
  t.same(asked, ['kv', 'team:old']);
  t.equal(versions.versionOf(AUTO), 1);
  await end();
});

t.test('an hourly question that fails leaves what is known', async (t) => {
  let up = true;
  const { versions, clock, end } = house([AUTO], () => (up ? 2 : undefined));
  await clock.advance(1);
  up = false;
  await clock.advance(2 * HOUR);
  t.equal(versions.versionOf(AUTO), 2);
  await end();
});

t.test('what is known holds until Vault has answered anew, and a change is told', async (t) => {
  let kv: 1 | 2 = 1;
  const { versions, asked, clock, events, end } = house([AUTO], () => kv);
  await clock.advance(10_000);
  t.same(events, ['known']);
  versions.askNow();
  t.equal(versions.versionOf(AUTO), 1);
  await clock.advance(200);
  t.same(events, ['known'], 'the same answer is no news');
  kv = 2;
  versions.askNow();
  t.equal(versions.known(), true);
  t.equal(versions.versionOf(AUTO), 1);
  await clock.advance(200);
  t.equal(versions.versionOf(AUTO), 2);
  t.same(events, ['known', 'changed']);
  t.equal(asked.length, 3);
  await end();
});

t.test('askNow ends the pause, but a storm of it asks at most ten times a second', async (t) => {
  const { versions, asked, clock, end } = house([AUTO], () => undefined);
  await clock.advance(30_000);
  const before = asked.length;
  versions.askNow();
  await clock.advance(150);
  t.equal(asked.length, before + 1);
  for (let ms = 0; ms < 1_000; ms += 1) {
    versions.askNow();
    await clock.advance(1);
  }
  t.ok(asked.length <= before + 12, `asked ${asked.length - before} times`);
  await end();
});

t.test('it ends when told to', async (t) => {
  const { clock, end, asked } = house([AUTO], () => 2);
  await clock.advance(0);
  await end();
  await clock.advance(2 * HOUR);
  t.equal(asked.length, 1);
  t.equal(clock.sleepers, 0);
});
