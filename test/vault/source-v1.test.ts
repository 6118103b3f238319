import t, { type Test } from 'tap';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createVaultSource, type VaultOptions } from '../../src/vault/source.ts';
import {
  denied,
  keysBody,
  lookupBody,
  mountBody,
  noSuchSecret,
  type Reply,
  startVaultHttp,
  valueBody,
} from '../fakes/vault-http.ts';

const ENTRY = '/sys/internal/ui/mounts/kv';
const ref: SecretRef = { namespace: '', mount: 'kv', path: 'app/db' };
const entry = (kv: 1 | 2, accessor = 'kv_1'): Reply => ({
  body: mountBody('kv', accessor, 'kv', `{"version":"${kv}"}`),
});
const v1 = { accessor: 'kv_1', kv: 1 } as const;
/** The body of GET PATH of KV v1. */
const bodyOf = (value: string): string =>
  `{"request_id":"r","lease_id":"","renewable":false,"lease_duration":2764800,"data":${value},"wrap_info":null,"warnings":null,"auth":null}\n`;
/** What a v2 mount answers to a path that is none of its own: no `errors` at all. */
const notOurs: Reply = {
  status: 404,
  body: '{"request_id":"r","data":null,"warnings":["Invalid path for a versioned K/V secrets engine."]}',
};
const upgrading: Reply = {
  status: 400,
  body: '{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly."]}',
};

/** A stand-in Vault with the KV v1 mount `kv`, and a source before it. */
async function world(t: Test, options: Partial<VaultOptions> = {}) {
  const vault = await startVaultHttp();
  const token = { token: new Sensitive('s.token') };
  const source = createVaultSource({ address: vault.address, timeout: 5000, token, ...options });
  t.teardown(async () => {
    await source.close();
    await vault.close();
  });
  vault.on(ENTRY, entry(1));
  vault.on('/auth/token/lookup-self', { body: lookupBody() });
  return { vault, source };
}

t.test('a secret of version 1 is its value and nothing else, spelled as it was written', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/app/db', { body: bodyOf('{"n": 12345678901234567890, "data": {"f": 1.0}, "h": "\\u003c"}') });
  const state = await source.read(ref);
  t.strictSame(Object.keys(state).toSorted(), ['kind', 'mount', 'value']);
  t.match(state, { kind: 'present', mount: v1 });
  t.equal(state.kind === 'present' && state.value.reveal(), '{"n":12345678901234567890,"data":{"f":1.0},"h":"<"}');
});

t.test('once the version is known, nothing is asked by the other one', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/app/db', { body: bodyOf('{}') });
  await source.read(ref);
  t.equal(vault.count('/kv/data/app/db'), 1);
  await source.read(ref);
  await source.read(ref);
  t.equal(vault.count('/kv/data/app/db'), 1);
  const told = await world(t, { mounts: [{ namespace: '', mount: 'kv', kvVersion: 1 }] });
  told.vault.on('/kv/app/db', { body: bodyOf('{}') });
  t.match(await told.source.read(ref), { kind: 'present', mount: v1 });
  t.equal(told.vault.count('/kv/data/app/db'), 0);
});

t.test('a path of version 1 may look like one of version 2', async (t) => {
  const { vault, source } = await world(t);
  const inside =
    '{"data":{"a":"1"},"metadata":{"created_time":"2026-11-24T21:40:57Z","deletion_time":"","destroyed":false,"version":3}}';
  for (const path of ['data/x', 'metadata/y', 'data']) {
    vault.on(`/kv/${path}`, { body: bodyOf(inside) });
    vault.on(`/kv/data/${path}`, { body: bodyOf(inside) });
    const state = await source.read({ ...ref, path });
    t.equal(state.kind === 'present' && state.value.reveal(), inside, path);
  }
});

t.test('an absent secret has no version to tell, and its mount is the one after it', async (t) => {
  const { vault, source } = await world(t, { mounts: [{ namespace: '', mount: 'kv', kvVersion: 1 }] });
  vault.on('/kv/app/db', noSuchSecret);
  t.strictSame(await source.read(ref), { kind: 'absent', why: 'purged', mount: v1 });
  vault.on(ENTRY, entry(1, 'kv_9'));
  t.strictSame(await source.read(ref), { kind: 'absent', why: 'purged', mount: { accessor: 'kv_9', kv: 1 } });
  vault.on(ENTRY, denied);
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /mount kv/ });
});

t.test('a mount that was enabled anew with the other version is read by that', async (t) => {
  const { vault, source } = await world(t);
  vault.on(ENTRY, entry(2), entry(1, 'kv_2'));
  vault.on('/kv/data/app/db', noSuchSecret);
  vault.on('/kv/app/db', noSuchSecret);
  const now = { kind: 'absent', why: 'purged', mount: { accessor: 'kv_2', kv: 1 } } as const;
  t.strictSame(await source.read(ref), now, 'seen after the 404 alone');
  vault.on(ENTRY, entry(2, 'kv_3'));
  t.strictSame(await source.read(ref), { ...now, mount: { accessor: 'kv_3', kv: 2 } }, 'and back');
  vault.on('/kv/app/db', { body: bodyOf('{"a":1}') });
  vault.on(ENTRY, entry(1, 'kv_4'));
  t.match(await source.read(ref), { kind: 'present', mount: { accessor: 'kv_4', kv: 1 } });
  vault.on(ENTRY, entry(2, 'kv_5'));
  vault.on('/kv/app/db', notOurs);
  vault.on('/kv/data/app/db', { body: valueBody('{"a":2}', { version: 4 }) });
  t.match(await source.read(ref), { kind: 'present', version: 4, mount: { accessor: 'kv_5', kv: 2 } });
});

t.test('a mount upgraded in place is not read as version 1 any more, whatever the path answers', async (t) => {
  const { vault, source } = await world(t, { mounts: [{ namespace: '', mount: 'kv', kvVersion: 'auto' }] });
  const x = { ...ref, path: 'data/x' };
  vault.on('/kv/data/x', { body: bodyOf('{"a":1}') });
  t.match(await source.read(x), { kind: 'present', mount: v1 });
  vault.on(ENTRY, entry(2));
  vault.on('/kv/data/x', { body: valueBody('{"of":"x"}') });
  vault.on('/kv/data/data/x', { body: valueBody('{"of":"data/x"}') });
  const state = await source.read(x);
  t.match(state, { version: 1, mount: { accessor: 'kv_1', kv: 2 } });
  t.equal(state.kind === 'present' && state.value.reveal(), '{"of":"data/x"}');
});

t.test('a mount that changes its version at every look is unavailable', async (t) => {
  const { vault, source } = await world(t);
  vault.on(ENTRY, entry(1), entry(2));
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /changed its KV version/ });
});

t.test('an upgrade under way is an outage, not an answer', async (t) => {
  for (const kv of [1, 2] as const) {
    const { vault, source } = await world(t);
    vault.on(ENTRY, entry(kv));
    vault.on('/kv/app/db', upgrading);
    vault.on('/kv/data/app/db', upgrading);
    await t.rejects(source.read(ref), { code: 'source_unavailable', message: /400/ });
  }
});

t.test('an answer that proves nothing is unavailable and repeats no word of the body', async (t) => {
  const { vault, source } = await world(t);
  for (const reply of [
    { status: 404, body: '{"errors":["canary"]}' },
    { status: 404, body: valueBody('null', { deletionTime: '2026-11-24T21:40:57Z' }) },
    { status: 503 },
    { body: '{"data":null}' },
    { body: '{"data":["canary"]}' },
    { body: '{"data":"canary"}' },
    { body: '{"data":{"a":"canary"' },
  ]) {
    vault.on('/kv/app/db', reply);
    const error = await source.read(ref).catch((thrown: unknown) => thrown);
    t.match(error, { code: 'source_unavailable', message: /kv\/app\/db/ }, JSON.stringify(reply));
    t.notMatch((error as Error).message, /canary/);
  }
});

t.test('a policy that lacks a path is forbidden, and the line to add is that of the version', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', denied);
  vault.on('/kv/app/db', denied);
  vault.on('/kv/?list=true', denied);
  const line = (path: string, verb: string) => new RegExp(`path "${path}" { capabilities = \\["${verb}"\\] }`);
  await t.rejects(source.read(ref), { code: 'source_forbidden', message: line('kv/app/db', 'read') });
  await t.rejects(all(source.list(ref)), { code: 'source_forbidden', message: line('kv/\\*', 'list') });
  const fresh = await world(t);
  fresh.vault.on(ENTRY, { status: 503 }, entry(1));
  fresh.vault.on('/kv/data/app/db', denied);
  fresh.vault.on('/kv/app/db', { body: bodyOf('{}') });
  t.match(await fresh.source.read(ref), { kind: 'present' }, 'a refusal by the wrong version is none');
});

t.test('a route that says the other version is a mismatch, for reads and listings', async (t) => {
  for (const kvVersion of [1, 2] as const) {
    const { vault, source } = await world(t, { mounts: [{ namespace: '', mount: 'kv', kvVersion }] });
    const actual = kvVersion === 1 ? 2 : 1;
    vault.on(ENTRY, entry(actual));
    for (const reply of [noSuchSecret, denied, { body: bodyOf('{}') }, { body: valueBody('{}') }]) {
      vault.on('/kv/data/app/db', reply);
      vault.on('/kv/app/db', reply);
      const text = new RegExp(`is KV version ${actual}.*kvVersion: ${kvVersion}`);
      await t.rejects(source.read(ref), { code: 'mount_version_mismatch', message: text });
    }
    await t.rejects(all(source.list(ref)), { code: 'mount_version_mismatch' });
    t.match(await source.mount(ref), { kv: actual }, 'but it is told by itself');
  }
});

t.test('a listing walks all folders, and an upgrade meanwhile makes it void', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/?list=true', { body: keysBody('a', 'a/', 'data/') });
  vault.on('/kv/a/?list=true', { body: keysBody('b') });
  vault.on('/kv/data/?list=true', { body: keysBody('x') });
  t.strictSame(await all(source.list(ref)), ['a', 'a/b', 'data/x']);
  vault.on(ENTRY, entry(1), entry(2));
  vault.on('/kv/?list=true', noSuchSecret);
  await t.rejects(all(source.list(ref)), { code: 'source_unavailable', message: /replaced/ });
});

async function all(paths: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const path of paths) list.push(path);
  return list;
}
