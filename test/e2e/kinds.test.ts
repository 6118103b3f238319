import t from 'tap';
import { encodePath } from '../servers/openbao-api.ts';
import { nameOf, type Ref, refOf } from './source.ts';
import { startWorld } from './world.ts';

const ROUTES = [
  { mount: 'kv', kvVersion: 'auto' },
  { mount: 'kv2', kvVersion: 2, as: 'second/{path}' },
  { mount: 'team/deep/kv', kvVersion: 2 },
  { mount: 'kv', namespace: 'team-a', kvVersion: 'auto', as: '{namespace}/{mount}/{path}' },
];
const world = await startWorld({ routes: ROUTES });
t.teardown(world.end);
const { bao, aws, canaries, write, equal, copy, settled } = world;

/** Any KV v2 call but a plain write; `kind` is `delete`, `undelete`, `metadata`, … Gives the status. */
async function ask(method: string, kind: string, ref: Ref | string, body?: unknown, token?: string): Promise<number> {
  const { mount, path, namespace = '' } = refOf(ref);
  const url = `${encodePath(mount)}/${kind}/${encodePath(path)}`;
  const headers = { namespace, ...(token !== undefined && { token }) };
  return (await bao.request(method, url, body, headers)).status;
}

/** Everything of a copy that a write would change. */
const whole = async (name: string) => aws.copy(name);

t.test('create and update', async (t) => {
  await write('app/db');
  await equal(['app/db']);
  const first = await copy('kv/app/db');
  t.match(first.tags, { version: '1', 'vaultferry:vault': 'vault', 'vaultferry:source': 'kv/app/db' });
  await write('app/db');
  await equal(['app/db']);
  t.match((await copy('kv/app/db')).tags, { version: '2' });
  // Only a pushed change knows when it was written.
  const lags = world.ferries
    .get('ferry')
    .logs()
    .filter(({ event, ref }) => event === 'secret.replicated' && ref === 'kv/app/db');
  t.match(lags, [
    { outcome: 'created', version: 1, lagMs: Number },
    { outcome: 'updated', version: 2, lagMs: Number },
  ]);
});

t.test('patch', async (t) => {
  await write('patched', { kept: canaries.next(), changed: canaries.next() });
  const value = canaries.next();
  const url = 'kv/data/patched';
  const headers = { 'content-type': 'application/merge-patch+json', 'x-vault-token': bao.rootToken };
  const body = JSON.stringify({ data: { changed: value } });
  t.equal((await fetch(`${bao.address}/v1/${url}`, { method: 'PATCH', headers, body })).status, 200);
  await equal(['patched']);
  t.match(JSON.parse((await copy('kv/patched')).value ?? ''), { kept: String, changed: value });
});

t.test('a failed check-and-set and a denied write change nothing', async (t) => {
  await write('guarded');
  await equal(['guarded']);
  await settled();
  const before = await whole('kv/guarded');
  const looks = world.recorder.calls.filter(({ operation }) => operation === 'DescribeSecret').length;
  const reader = await bao.tokenFor('path "kv/data/guarded" { capabilities = ["read"] }');
  const data = { password: canaries.next() };
  t.equal(await ask('POST', 'data', 'guarded', { data, options: { cas: 7 } }), 400);
  t.equal(await ask('POST', 'data', 'guarded', { data }, reader), 403);
  t.equal(await ask('DELETE', 'data', 'guarded', undefined, reader), 403);
  t.equal(await ask('DELETE', 'metadata', 'guarded', undefined, reader), 403);
  t.equal(await ask('POST', 'data', 'never', { data, options: { cas: 7 } }), 400);
  await write('marker');
  await equal(['marker']);
  await settled();
  t.strictSame(await whole('kv/guarded'), before);
  t.equal(await aws.copy('kv/never'), undefined);
  const looked = world.recorder.calls.filter(({ operation }) => operation === 'DescribeSecret').slice(looks);
  t.strictSame([...new Set(looked.map(({ request }) => request['SecretId']))], ['kv/marker']);
});

const absent = (why: RegExp) => (seen: { tags: Readonly<Record<string, string>> }) =>
  why.test(seen.tags['vaultferry:absent'] ?? '');
const present = (seen: { tags: Readonly<Record<string, string>> }) => !('vaultferry:absent' in seen.tags);
const INSTANT = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`;

t.test('a soft delete marks the copy, an undelete takes the mark off, the value stays', async (t) => {
  await write('undone');
  await equal(['undone']);
  const before = await copy('kv/undone');
  t.equal(await ask('DELETE', 'data', 'undone'), 204);
  const marked = await copy('kv/undone', absent(new RegExp(`^${INSTANT} ${before.versionId} ${INSTANT}$`)));
  t.match(marked, { value: before.value, versionId: before.versionId });
  t.equal(await ask('POST', 'undelete', 'undone', { versions: [1] }), 204);
  t.match(await copy('kv/undone', present), { value: before.value, versionId: before.versionId });
  await equal(['undone']);
});

t.test('a write after a soft delete takes the mark off, too', async () => {
  await write('rewritten');
  await equal(['rewritten']);
  await ask('POST', 'delete', 'rewritten', { versions: [1] });
  await copy('kv/rewritten', absent(/ /));
  await write('rewritten');
  await equal(['rewritten']);
});

t.test('destroying the latest version marks the copy', async () => {
  await write('destroyed');
  await equal(['destroyed']);
  await ask('POST', 'destroy', 'destroyed', { versions: [1] });
  await copy('kv/destroyed', absent(/ destroyed$/));
});

t.test('what happens to an older version, or to metadata, does not touch the copy', async (t) => {
  await write('history');
  await write('history');
  await write('history');
  await equal(['history']);
  await settled();
  const before = await whole('kv/history');
  t.equal(await ask('POST', 'delete', 'history', { versions: [1] }), 204);
  t.equal(await ask('POST', 'destroy', 'history', { versions: [2] }), 204);
  t.equal(await ask('POST', 'metadata', 'history', { max_versions: 5, custom_metadata: { owner: 'me' } }), 204);
  await write('marker');
  await equal(['marker']);
  await settled();
  t.strictSame(await whole('kv/history'), before);
});

t.test('a purge marks the copy, and the same version number written again is a new version', async (t) => {
  const value = canaries.next();
  await write('reborn');
  await equal(['reborn']);
  const before = await copy('kv/reborn');
  t.equal(await ask('DELETE', 'metadata', 'reborn'), 204);
  await copy('kv/reborn', absent(/ purged$/));
  t.equal((await write('reborn', { value })).version, 1);
  await equal(['reborn']);
  const after = await copy('kv/reborn');
  t.equal(after.value, JSON.stringify({ value }));
  t.not(after.versionId, before.versionId);
});

t.test('a purge and re-creation in one breath ends at the new value', async () => {
  await write('quick');
  await equal(['quick']);
  await ask('DELETE', 'metadata', 'quick');
  await write('quick');
  await equal(['quick']);
});

t.test('nested folders, and a secret that is also a folder', async () => {
  const refs = ['a', 'a/b', 'a/b/c', 'a/b/c/d/e/f/g/h'];
  for (const ref of refs) await write(ref);
  await equal(refs);
});

// Path below the mount | name of the copy: every byte that Secrets Manager does not allow, and "=", as = and its hex.
const ODD: readonly (readonly [string, string])[] = [
  ['a b', 'a=20b'],
  ['a%b', 'a=25b'],
  ['a%20b', 'a=2520b'],
  ['a#b', 'a=23b'],
  ['a?b', 'a=3Fb'],
  ['a?list=true', 'a=3Flist=3Dtrue'],
  ['a+b', 'a+b'],
  ['aéb', 'a=C3=A9b'],
  ['ae\u0301b', 'ae=CC=81b'],
  ['a{{b}}', 'a=7B=7Bb=7D=7D'],
  ['a:b', 'a=3Ab'],
  ['a=b', 'a=3Db'],
  ['a=20b', 'a=3D20b'],
  ['a@b', 'a@b'],
  ['a😀b', 'a=F0=9F=98=80b'],
  ['a"b', 'a=22b'],
  ["a'b", 'a=27b'],
  ['a\\b', 'a=5Cb'],
  ['a&b<c>', 'a=26b=3Cc=3E'],
  ['a,b;c', 'a=2Cb=3Bc'],
  ['a|b~c', 'a=7Cb=7Ec'],
  ['a*b', 'a=2Ab'],
  ['a[b](c)', 'a=5Bb=5D=28c=29'],
  ['a!b$c^d`', 'a=21b=24c=5Ed=60'],
  ['data/metadata/x', 'data/metadata/x'],
  ['日本/語', '=E6=97=A5=E6=9C=AC/=E8=AA=9E'],
  ['a.b_c-d', 'a.b_c-d'],
];

t.test('odd characters in paths arrive under escaped names', async (t) => {
  const refs = ODD.map(([path]) => `odd/${path}`);
  await Promise.all(refs.map((path) => write(path)));
  await equal(refs);
  const names = new Set(await aws.names());
  for (const [path, name] of ODD) {
    t.ok(names.has(`kv/odd/${name}`), `${path} is ${name}`);
    t.equal(nameOf(refOf(`odd/${path}`)), `kv/odd/${name}`);
  }
  t.equal([...names].filter((name) => name.startsWith('kv/odd/')).length, ODD.length);
});

t.test('an odd path is followed through delete and write as well', async () => {
  const name = 'kv/odd/a=20b';
  await ask('DELETE', 'data', 'odd/a b');
  await copy(name, absent(/ /));
  await write('odd/a b');
  await equal(['odd/a b']);
});

t.test('a mount of several segments', async (t) => {
  const ref = { mount: 'team/deep/kv', path: 'data/x' };
  await write(ref);
  await equal([ref]);
  t.match((await copy('team/deep/kv/data/x')).tags, { 'vaultferry:source': 'team/deep/kv/data/x' });
});

t.test("a mount whose name begins with another's keeps to itself", async (t) => {
  const [one, two] = [canaries.next(), canaries.next()];
  await write({ mount: 'kv', path: 'twin' }, { one });
  await write({ mount: 'kv2', path: 'twin' }, { two });
  t.match(await copy('kv/twin', ({ value }) => value !== undefined), { value: JSON.stringify({ one }) });
  t.match(await copy('second/twin', ({ value }) => value !== undefined), { value: JSON.stringify({ two }) });
});

t.test("a namespace's secret is its own", async (t) => {
  const [root, team] = [canaries.next(), canaries.next()];
  await write('shared', { root });
  await write({ namespace: 'team-a', mount: 'kv', path: 'shared' }, { team });
  const copied = await copy('team-a/kv/shared');
  t.equal(copied.value, JSON.stringify({ team }));
  t.match(copied.tags, { 'vaultferry:source': 'team-a:kv/shared', 'vaultferry:route': 'team-a:kv' });
  t.equal((await copy('kv/shared')).value, JSON.stringify({ root }));
  await ask('DELETE', 'metadata', { namespace: 'team-a', mount: 'kv', path: 'shared' });
  await copy('team-a/kv/shared', absent(/ purged$/));
  t.ok(present(await copy('kv/shared')));
});

t.test('what is not routed is not touched', async (t) => {
  await bao.createKv('other', 2);
  await write({ mount: 'other', path: 'app' });
  await bao.request('POST', 'cubbyhole/app', { value: canaries.next() });
  await write('marker');
  await equal(['marker']);
  await settled();
  const names = await aws.names();
  t.strictSame(
    names.filter((name) => !/^(kv|second|team|team-a)\//.test(name)),
    [],
  );
});

t.test('nothing failed, and no value stands where it should not', async (t) => {
  t.strictSame(await aws.letters(), []);
  t.strictSame(await world.leaks(), []);
});
