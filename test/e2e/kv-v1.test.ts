import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { encodePath } from '../servers/openbao-api.ts';
import type { Copy } from './aws.ts';
import { REPLICATOR } from './setting.ts';
import { nameOf, type Ref } from './source.ts';
import { startWorld } from './world.ts';

const ROUTES = [
  { mount: 'legacy', kvVersion: 1 },
  { mount: 'deep/old/kv', namespace: 'org/team', kvVersion: 1, as: '{namespace}/{mount}/{path}' },
  { mount: 'unsure', kvVersion: 'auto' },
];
const world = await startWorld({ routes: ROUTES });
t.teardown(world.end);
const { bao, aws, canaries, copy, settled } = world;

const legacy = (path: string): Ref => ({ mount: 'legacy', path });

/** Any call to KV v1, with the root token. Gives the status. */
async function ask(method: string, { namespace = '', mount, path }: Ref, body?: unknown): Promise<number> {
  return (await bao.request(method, `${encodePath(mount)}/${encodePath(path)}`, body, { namespace })).status;
}

/** Writes a canary; gives the text that the copy must have. */
async function write(ref: Ref, secret: object = { password: canaries.next() }): Promise<string> {
  t.equal(await ask('POST', ref, secret), 204, `${ref.mount}/${ref.path} is written`);
  return JSON.stringify(secret);
}

const has = (text: string) => (seen: Copy) => seen.value === text && !('vaultferry:absent' in seen.tags);
const marked = (seen: Copy) => / purged$/.test(seen.tags['vaultferry:absent'] ?? '');

/** Lets the replicator read these beside its mounts of version 1. */
async function allow(...paths: string[]): Promise<void> {
  const rules = ['legacy/*', 'org/team/deep/old/kv/*', ...paths].map(
    (path) => `path "${path}" { capabilities = ["read", "list"] }`,
  );
  t.equal((await bao.request('PUT', `sys/policies/acl/${REPLICATOR}`, { policy: rules.join('\n') })).status, 204);
}

/** The commands that are not given a name have the world's own configuration. */
const replicate = (...refs: string[]) => world.ferries.run(['replicate', ...refs]);

t.test('created, updated, written the same, deleted, written again', async (t) => {
  const ref = legacy('app/db');
  const first = await copy('legacy/app/db', has(await write(ref)));
  t.match(first.versionId, /^k1-\d{8}T\d{15}Z-[0-9a-f]{24}$/);
  t.match(first.tags, { 'vaultferry:mount': /^kv_\w+ v1$/, 'vaultferry:source': 'legacy/app/db' });
  t.notOk('version' in first.tags);
  const secret = { password: canaries.next() };
  const second = await copy('legacy/app/db', has(await write(ref, secret)));
  t.not(second.versionId, first.versionId);
  await write(ref, secret);
  await copy('legacy/other', has(await write(legacy('other'))));
  await settled();
  t.strictSame(await aws.copy('legacy/app/db'), second, 'the same value again is no write');
  t.equal(await ask('DELETE', ref), 204);
  t.match(await copy('legacy/app/db', marked), { value: second.value, versionId: second.versionId });
  await copy('legacy/app/db', has(await write(ref)));
});

t.test('paths that look like version 2 are the secrets they say they are', async (t) => {
  const paths = ['x', 'data/x', 'metadata/x', 'data', 'undelete/x', 'data/data/x', 'a b', 'é/%', 'data/#?'];
  const wanted = new Map<string, string>();
  for (const path of paths) wanted.set(path, await write(legacy(path)));
  for (const [path, text] of wanted) await copy(nameOf(legacy(path)), has(text));
  t.equal(await ask('DELETE', legacy('metadata/x')), 204);
  await copy('legacy/metadata/x', marked);
  await settled();
  for (const path of ['x', 'data/x']) t.ok(has(wanted.get(path) ?? '')(await copy(`legacy/${path}`)), path);
});

t.test('an object that looks like an answer of version 2 is carried as it is', async () => {
  const metadata = { created_time: '2026-11-24T21:40:57Z', deletion_time: '2026-11-24T21:41:57Z', destroyed: true };
  const secret = { data: { password: canaries.next() }, metadata: { ...metadata, version: 3 } };
  await copy('legacy/odd', has(await write(legacy('data/odd'), secret).then(() => write(legacy('odd'), secret))));
  await copy('legacy/data/odd', has(JSON.stringify(secret)));
});

t.test('a nested namespace and a mount of several segments', async (t) => {
  const ref = { namespace: 'org/team', mount: 'deep/old/kv', path: 'data/x' };
  const made = await copy('org/team/deep/old/kv/data/x', has(await write(ref)));
  t.equal(made.tags['vaultferry:source'], 'org/team:deep/old/kv/data/x');
  await ask('DELETE', ref);
  await copy('org/team/deep/old/kv/data/x', marked);
});

t.test('a hand edit is found by its value', async (t) => {
  const text = await write(legacy('edited'));
  const before = await copy('legacy/edited', has(text));
  await aws.secrets.send(new PutSecretValueCommand({ SecretId: before.arn, SecretString: '{"by":"hand"}' }));
  t.match(await replicate('legacy/edited'), { code: 0 });
  t.not((await copy('legacy/edited', has(text))).versionId, before.versionId);
});

t.test('a mount that is enabled anew as version 1 begins anew, and its old copies are conflicts', async (t) => {
  const old = { mount: 'unsure', path: 'old' };
  await world.write(old);
  await world.equal([old]);
  const before = await copy('unsure/old');
  t.equal((await bao.request('DELETE', 'sys/mounts/unsure')).status, 204);
  await bao.createKv('unsure', 1);
  await allow('unsure/*');
  await copy('unsure/new', has(await write({ mount: 'unsure', path: 'new' })));
  t.match(await replicate('unsure/old'), { code: 0 });
  await settled();
  t.match(await aws.letters(), [{ attributes: { code: 'not_owned', ref: 'unsure/old' } }]);
  t.strictSame(await aws.copy('unsure/old'), before);
});

t.test('an upgrade in place to version 2 makes every copy a conflict', async (t) => {
  const before = await copy('unsure/new');
  t.equal((await bao.request('POST', 'sys/mounts/unsure/tune', { options: { version: '2' } })).status, 200);
  await allow('unsure/data/*', 'unsure/metadata/*');
  t.match(await replicate('unsure/new'), { code: 0 });
  await settled();
  t.match((await aws.letters()).slice(1), [{ attributes: { code: 'not_owned', ref: 'unsure/new' } }]);
  t.strictSame(await aws.copy('unsure/new'), before);
});

t.test('no value stands where it should not', async (t) => {
  t.strictSame(await world.leaks(), []);
});
