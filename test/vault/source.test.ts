import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  type Seen,
  startVaultHttp,
  valueBody,
} from '../fakes/vault-http.ts';

const TOKEN = 's.canary-token';
const ENTRY = '/sys/internal/ui/mounts/kv';
const LOOKUP = '/auth/token/lookup-self';
const ref: SecretRef = { namespace: '', mount: 'kv', path: 'app/db' };
const createdTime = '2026-11-24T21:40:57.235646616Z';
const deletionTime = '2026-11-24T21:41:57.235646616Z';

/** A stand-in Vault with the KV v2 mount `kv`, and a source before it. */
async function world(t: Test, options: Partial<VaultOptions> = {}) {
  const vault = await startVaultHttp();
  const token = { token: new Sensitive(TOKEN) };
  const source = createVaultSource({ address: vault.address, timeout: 5000, token, ...options });
  t.teardown(async () => {
    await source.close();
    await vault.close();
  });
  vault.on(ENTRY, { body: mountBody('kv') });
  vault.on(LOOKUP, { body: lookupBody() });
  return { vault, source };
}

t.test('a present secret comes with its mount, its version and its exact text', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', { body: valueBody('{"n": 12345678901234567890, "h": "\\u003c"}', { version: 4 }) });
  const state = await source.read(ref);
  t.match(state, { kind: 'present', version: 4, createdTime, mount: { accessor: 'kv_1', kv: 2 } });
  t.equal(state.kind === 'present' && state.value.reveal(), '{"n":12345678901234567890,"h":"<"}');
  const seen = vault.requests.find(({ path }) => path === '/kv/data/app/db');
  t.match(seen?.headers, { 'x-vault-token': TOKEN, 'x-vault-request': 'true', 'x-vault-forward': 'active-node' });
  t.notOk(seen?.headers['x-vault-namespace']);
});

t.test('any character of a path and a namespace reach the server', async (t) => {
  const { vault, source } = await world(t);
  for (const path of [
    'a b',
    '100%',
    '%2F',
    'a#b',
    'a?b',
    'a+b',
    'é',
    '{{x}}',
    '&#x2F;',
    '&amp;',
    "it's",
    'sys/health',
  ]) {
    vault.on(`/kv/data/${path.split('/').map(encodeURIComponent).join('/')}`, { body: valueBody('{}') });
    t.match(await source.read({ namespace: 'team/é', mount: 'kv', path }), { kind: 'present' }, path);
  }
  const header = String(vault.requests.at(-1)?.headers['x-vault-namespace']);
  t.equal(Buffer.from(header, 'latin1').toString(), 'team/é');
});

t.test('an impossible path is refused without any request', async (t) => {
  const { vault, source } = await world(t);
  for (const path of ['a/../b', 'a//b', 'a/', '']) {
    await t.rejects(source.read({ ...ref, path }), { code: 'source_forbidden' }, path);
  }
  t.equal(vault.requests.filter(({ path }) => path.startsWith('/kv')).length, 0);
});

t.test('absence counts only with an entry that was read after it', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', noSuchSecret);
  vault.on(ENTRY, { body: mountBody('kv', 'kv_1') }, { body: mountBody('kv', 'kv_2') });
  t.strictSame(await source.read(ref), { kind: 'absent', why: 'purged', mount: { accessor: 'kv_2', kv: 2 } });
  vault.on('/kv/data/app/db', { status: 404, body: valueBody('null', { version: 2, deletionTime }) });
  vault.on(ENTRY, { body: mountBody('kv', 'kv_1') }, { body: mountBody('kv', 'kv_3') });
  t.strictSame(await source.read(ref), {
    kind: 'absent',
    why: 'deleted',
    latest: { version: 2, createdTime },
    deletionTime,
    mount: { accessor: 'kv_3', kv: 2 },
  });
});

t.test('a mount that is gone proves no absence', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', noSuchSecret);
  vault.on(ENTRY, { body: mountBody('kv') }, denied);
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /mount kv/ });
  vault.on(ENTRY, { body: mountBody('kv') }, { status: 503 });
  await t.rejects(source.read(ref), { code: 'source_unavailable' });
});

t.test('a mount of another type is a mismatch, whatever its path answers', async (t) => {
  const { vault, source } = await world(t);
  vault.on(ENTRY, { body: mountBody('kv', 'x', 'transit', '{}') });
  for (const reply of [
    { body: valueBody('{}') },
    noSuchSecret,
    denied,
    { status: 404, body: '{"errors":["unsupported path"]}' },
  ]) {
    vault.on('/kv/data/app/db', reply);
    await t.rejects(source.read(ref), { code: 'mount_version_mismatch' });
  }
});

t.test('a value whose mount does not show itself is unavailable', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', { body: valueBody('{}') });
  vault.on(ENTRY, denied);
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /mount kv/ });
});

t.test('an answer that proves nothing is unavailable and repeats no word of the body', async (t) => {
  const { vault, source } = await world(t, { timeout: 300 });
  const replies = [
    { status: 404, body: '<html>canary</html>' },
    { status: 404, body: '{"errors":["canary"]}' },
    ...[400, 412, 429, 472, 473, 500, 502, 503].map((status) => ({ status, body: '{"errors":["canary"]}' })),
    { body: '{"data":{"data":{"a":"canary"' },
    { body: Buffer.from('{"data":{"data":{"a":"canary\xff"}}}', 'latin1') },
    { act: 'reset' },
    { act: 'hang' },
    { act: 'garbage', body: 'canary canary canary\r\n\r\n' },
    { status: 307, headers: { location: '/v1/kv/data/other' } },
    { status: 307 },
    { status: 301, headers: { location: '/v1/kv/data/app/db' } },
  ] as const;
  for (const reply of replies) {
    vault.on('/kv/data/app/db', reply);
    const error = await source.read(ref).catch((thrown: unknown) => thrown);
    t.match(error, { code: 'source_unavailable', message: /kv\/app\/db/ }, JSON.stringify(reply));
    t.notMatch(JSON.stringify(error, allProperties(error)), /canary/);
    t.notOk((error as Error).cause, 'the cause would carry what was parsed');
  }
  t.equal(vault.count('/kv/data/other'), 0);
});

const allProperties = (error: unknown): string[] => Object.getOwnPropertyNames(error);

t.test('a secret beyond all bounds is too large, not an outage', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', { body: valueBody(`{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`) });
  await t.rejects(source.read(ref), { code: 'value_too_large', message: /kv\/app\/db/ });
});

t.test('a standby that names another node is followed, with the token, path and namespace', async (t) => {
  const { vault: standby, source } = await world(t);
  const active = await startVaultHttp();
  t.teardown(active.close);
  active.on('/kv/data/a%20b', { body: valueBody('{}', { version: 9 }) });
  standby.on('/kv/data/a%20b', { status: 307, headers: { location: `${active.address}/v1/kv/data/a%20b` } });
  t.match(await source.read({ namespace: 'team', mount: 'kv', path: 'a b' }), { version: 9 });
  t.match(active.requests, [{ headers: { 'x-vault-token': TOKEN, 'x-vault-namespace': 'team' } }]);
});

t.test('nodes that redirect to one another for ever are unavailable', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', { status: 307, headers: { location: '/v1/kv/data/app/db' } });
  await t.rejects(source.read(ref), { code: 'source_unavailable' });
  t.equal(vault.count('/kv/data/app/db'), 3);
});

t.test('a server that refuses to be told of the active node is asked without it, from then on', async (t) => {
  const { vault, source } = await world(t);
  const refusing = (seen: Seen) =>
    'x-vault-forward' in seen.headers
      ? { status: 400, body: '{"errors":["forwarding via header X-Vault-Forward disabled in configuration"]}' }
      : { body: seen.path === ENTRY ? mountBody('kv') : valueBody('{}') };
  vault.on('/kv/data/app/db', refusing);
  vault.on(ENTRY, refusing);
  t.match(await source.read(ref), { kind: 'present' });
  const before = vault.requests.length;
  t.match(await source.read(ref), { kind: 'present' });
  t.equal(vault.requests.length, before + 2);
});

t.test('a policy that lacks a path is forbidden, and the line to add is named', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', denied);
  await t.rejects(source.read(ref), {
    code: 'source_forbidden',
    message: /kv\/app\/db.*path "kv\/data\/app\/db" { capabilities = \["read"\] }/,
  });
  await t.rejects(source.read({ ...ref, namespace: 'team' }), {
    message: /team:kv\/app\/db.*path "team\/kv\/data\/app\/db"/,
  });
});

t.test('a dead token is unavailable, not forbidden', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', denied);
  vault.on(LOOKUP, denied);
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /token is no longer valid/ });
  await t.rejects(source.ping(), { code: 'source_unavailable', message: /token is no longer valid/ });
  vault.on(LOOKUP, { status: 503 });
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /503/ });
  vault.on(LOOKUP, { body: lookupBody() });
  await source.ping();
});

t.test('after a 403 the token file is read again at once', async (t) => {
  const tokenFile = join(t.testdir({ token: 's.old' }), 'token');
  const { vault, source } = await world(t, { token: { tokenFile } });
  const guarded = (seen: Seen) => (seen.headers['x-vault-token'] === 's.new' ? { body: valueBody('{}') } : denied);
  vault.on('/kv/data/app/db', guarded);
  await t.rejects(source.read(ref), { code: 'source_forbidden' });
  await writeFile(`${tokenFile}.next`, 's.new\n');
  await rename(`${tokenFile}.next`, tokenFile);
  t.match(await source.read(ref), { kind: 'present' });
});

t.test('the token is looked up at start, and what goes wrong is logged without it', async (t) => {
  const lines: unknown[] = [];
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  const { vault, source } = await world(t, {
    log: { debug: write, info: write, warn: write, error: write },
    address: 'http://127.0.0.1:1',
  });
  t.same(lines, [], 'and not before it is told to');
  source.renew();
  await until(() => lines.length > 0);
  t.match(lines, [[{ reason: /ECONNREFUSED/ }]]);
  t.notMatch(JSON.stringify(lines), /canary/);
  t.equal(vault.requests.length, 0);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come about within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('a listing walks all folders, a folder and a secret of one name included', async (t) => {
  let paced = 0;
  const pace = async (): Promise<void> => {
    paced += 1;
  };
  const { vault, source } = await world(t, { pace });
  vault.on('/kv/metadata/?list=true', { body: keysBody('a', 'a/', 'z z/', 'empty/', 'é') });
  vault.on('/kv/metadata/a/?list=true', { body: keysBody('b/', 'c') });
  vault.on('/kv/metadata/a/b/?list=true', { body: keysBody('d') });
  vault.on('/kv/metadata/z%20z/?list=true', { body: keysBody('#') });
  vault.on('/kv/metadata/empty/?list=true', noSuchSecret);
  t.strictSame(await all(source.list(ref)), ['a', 'é', 'a/c', 'a/b/d', 'z z/#']);
  t.equal(paced, 7);
  t.ok(vault.requests.every(({ method }) => method === 'GET'));
});

t.test('an empty mount has no secrets', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/metadata/?list=true', noSuchSecret);
  t.strictSame(await all(source.list(ref)), []);
});

t.test('a listing is whole or none', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/metadata/?list=true', { body: keysBody('a', 'b/') });
  for (const reply of [{ status: 500 }, { status: 404, body: '{"errors":["no handler"]}' }, { body: '{}' }]) {
    vault.on('/kv/metadata/b/?list=true', reply);
    await t.rejects(all(source.list(ref)), { code: 'source_unavailable', message: /kv\/b\// });
  }
  vault.on('/kv/metadata/b/?list=true', denied);
  await t.rejects(all(source.list(ref)), {
    code: 'source_forbidden',
    message: /path "kv\/metadata\/b\/\*" { capabilities = \["list"\] }/,
  });
});

t.test('a mount that is replaced while it is listed is listed again', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/metadata/?list=true', noSuchSecret);
  vault.on(ENTRY, { body: mountBody('kv', 'kv_1') }, { body: mountBody('kv', 'kv_2') });
  await t.rejects(all(source.list(ref)), { code: 'source_unavailable', message: /replaced/ });
  vault.on(ENTRY, { body: mountBody('kv', 'kv_1', 'transit', '{}') });
  await t.rejects(all(source.list(ref)), { code: 'mount_version_mismatch' });
});

async function all(paths: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const path of paths) list.push(path);
  return list;
}

t.test('a mount is told by itself', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/sys/internal/ui/mounts/a%20b/c', { body: mountBody('a b/c', 'kv_7', 'kv', '{"version":"1"}') });
  t.strictSame(await source.mount({ namespace: '', mount: 'a b/c' }), { accessor: 'kv_7', kv: 1 });
});

t.test('many reads at once share the connection pool without a warning', async (t) => {
  const { vault, source } = await world(t);
  const warnings: unknown[] = [];
  const note = (warning: unknown): void => {
    warnings.push(warning);
  };
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  vault.on('/kv/data/app/db', { body: valueBody('{}') });
  const states = await Promise.all(Array.from({ length: 40 }, () => source.read(ref)));
  t.ok(states.every(({ kind }) => kind === 'present'));
  t.strictSame(warnings, []);
});

t.test('a closed source ends what is in flight and takes no more', async (t) => {
  const { vault, source } = await world(t);
  vault.on('/kv/data/app/db', { act: 'hang' });
  const pending = source.read(ref);
  const refused = t.rejects(pending, { code: 'source_unavailable', message: /closed/ });
  await until(() => vault.count('/kv/data/app/db') === 1);
  await source.close();
  await refused;
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /closed/ });
});
