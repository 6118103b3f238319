import { readFileSync } from 'node:fs';
import { pMapIterable } from 'p-map';
import t, { type Test } from 'tap';
import type { SourceState, Surveyed } from '../../src/replicate/source.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createVaultSource } from '../../src/vault/source.ts';
import { startOpenBao } from '../servers/openbao.ts';
import { encodePath } from '../servers/openbao-api.ts';

const REF = { namespace: '', mount: 'kv' };
const FOLDERS = 6;
/** More than a page at the root, and a little in each folder. */
const PATHS = [
  ...Array.from({ length: 560 }, (_, index) => `s${index}`),
  ...Array.from({ length: FOLDERS * 10 }, (_, index) => `folder ${index % FOLDERS}/é${index}`),
];
/** The mount's entry before and after, what is tried in vain, and the token behind each refusal. */
const A_FEW = 12;

const READ_AND_LIST =
  'path "kv/metadata/*" { capabilities = ["read", "list"] }\npath "kv/data/*" { capabilities = ["read"] }\n';
const LIST_ALONE = 'path "kv/metadata/*" { capabilities = ["list"] }\npath "kv/data/*" { capabilities = ["read"] }\n';
const LIST_IN_DETAIL = `${READ_AND_LIST}path "kv/detailed-metadata/*" { capabilities = ["list"] }\n`;
const SCAN = `${READ_AND_LIST}path "kv/detailed-metadata/*" { capabilities = ["list", "scan"] }\n`;

const bao = await startOpenBao();
t.teardown(() => bao.stop());
await bao.createKv('kv', 2);
const writes = pMapIterable(PATHS, (path) => bao.put('kv', path, { password: 'canary' }), { concurrency: 16 });
for await (const _ of writes);

interface Asked {
  readonly operation: string;
  readonly path: string;
}

/** What OpenBao has answered so far, by its audit log; its own tests of the log are no requests. */
const asked = (): Asked[] =>
  readFileSync(bao.auditFilePath ?? '', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly type: string; readonly request: Asked })
    .filter(({ type, request }) => type === 'response' && request.operation !== 'help')
    .map(({ request }) => request);

async function sourceFor(t: Test, policy: string) {
  const token = { token: new Sensitive(await bao.tokenFor(policy)) };
  const source = createVaultSource({ address: bao.address, timeout: 20_000, token });
  t.teardown(() => source.close());
  return source;
}

/** Surveys once more, and says what that has cost. */
async function surveyed(source: Awaited<ReturnType<typeof sourceFor>>) {
  const before = asked().length;
  const found: Surveyed[] = [];
  for await (const secret of (await source.survey(REF, () => true)).secrets) found.push(secret);
  return { found, requests: asked().slice(before) };
}

const pathsOf = (found: readonly Surveyed[]) => found.map(({ path }) => path).sort();

for (const [what, policy] of [
  ['by a scan', SCAN],
  ['page by page, where a scan is not allowed', LIST_IN_DETAIL],
] as const) {
  t.test(`OpenBao tells all ${PATHS.length} secrets ${what} in a few requests, and none of their values`, async (t) => {
    const source = await sourceFor(t, policy);
    for (const time of ['first', 'second']) {
      const { found, requests } = await surveyed(source);
      t.strictSame(pathsOf(found), [...PATHS].sort(), time);
      t.ok(found.every(({ state }) => state?.kind === 'present'));
      t.ok(requests.length <= PATHS.length / 100 + FOLDERS + A_FEW, `${requests.length} requests`);
      t.notOk(requests.some(({ path }) => path.startsWith('kv/data/')));
      if (policy === SCAN) t.ok(requests.length <= 4, `${requests.length} requests`);
    }
  });
}

t.test('where only metadata may be read and listed, each secret costs one request', async (t) => {
  const source = await sourceFor(t, READ_AND_LIST);
  for (const time of ['first', 'second']) {
    const { found, requests } = await surveyed(source);
    t.strictSame(pathsOf(found), [...PATHS].sort(), time);
    t.ok(found.every(({ state }) => state?.kind === 'present'));
    t.ok(requests.length <= PATHS.length + 1 + FOLDERS + A_FEW, `${requests.length} requests`);
    t.notOk(requests.some(({ path }) => path.startsWith('kv/data/')));
    t.equal(requests.filter(({ path }) => /^kv\/metadata\/.*[^/]$/.test(path)).length, PATHS.length);
  }
});

t.test('where metadata may be listed and not read, a few requests show it', async (t) => {
  const source = await sourceFor(t, LIST_ALONE);
  const { found, requests } = await surveyed(source);
  t.strictSame(pathsOf(found), [...PATHS].sort());
  t.ok(found.every(({ state }) => state === undefined));
  t.ok(requests.length <= FOLDERS + 5 * A_FEW, `${requests.length} requests`);
});

/** What a read of the value finds, without the value. */
function withoutValue(state: SourceState): unknown {
  if (state.kind === 'absent') return state;
  const { value: _value, ...rest } = state;
  return rest;
}

t.test('metadata says of each state what a read of the value finds', async (t) => {
  await bao.createKv('states', 2);
  const at = (kind: string, path: string) => `states/${kind}/${encodePath(path)}`;
  const ask = async (method: string, path: string, body?: unknown) => {
    const { status } = await bao.request(method, path, body);
    if (status >= 400) throw new Error(`OpenBao answered ${status} to ${method} ${path}`);
  };
  const paths = [
    'present',
    'twice',
    'deleted',
    'undeleted',
    'destroyed',
    'gone',
    'later',
    'expired',
    'empty',
    'rolled',
  ];
  for (const path of paths) await bao.put('states', path, path === 'empty' ? {} : { a: 1 });
  for (const path of ['twice', 'destroyed', 'rolled']) await bao.put('states', path, { a: 2 });
  for (const path of ['deleted', 'undeleted', 'destroyed']) await ask('DELETE', at('data', path));
  await ask('PUT', at('undelete', 'undeleted'), { versions: [1] });
  await ask('PUT', at('destroy', 'destroyed'), { versions: [2] });
  await ask('PUT', at('destroy', 'rolled'), { versions: [2] });
  await ask('DELETE', at('metadata', 'gone'));
  await ask('POST', at('metadata', 'alone'), { custom_metadata: { a: 'b' } });
  await ask('POST', at('metadata', 'later'), { delete_version_after: '1h' });
  await bao.put('states', 'later', { a: 2 });
  await ask('POST', at('metadata', 'expired'), { delete_version_after: '1ns' });
  await bao.put('states', 'expired', { a: 2 });
  const ways = [SCAN, LIST_IN_DETAIL, READ_AND_LIST].map((policy) => policy.replaceAll('kv/', 'states/'));
  for (const policy of ways) {
    const source = await sourceFor(t, policy);
    const found = new Map<string, Surveyed['state']>();
    for await (const { path, state } of (await source.survey({ ...REF, mount: 'states' }, () => true)).secrets) {
      found.set(path, state);
    }
    t.notOk(found.has('gone'));
    for (const path of [...paths.filter((one) => one !== 'gone'), 'alone']) {
      t.strictSame(found.get(path), withoutValue(await source.read({ ...REF, mount: 'states', path })), path);
    }
  }
});

t.test('many folders and secrets of one page come in the order of their names, each once', async (t) => {
  await bao.createKv('mixed', 2);
  const paths = Array.from({ length: 260 }, (_, index) => [`p${index}`, `p${index}/below`]).flat();
  for await (const _ of pMapIterable(paths, (path) => bao.put('mixed', path, {}), { concurrency: 16 }));
  const source = await sourceFor(t, LIST_IN_DETAIL.replaceAll('kv/', 'mixed/'));
  const found: Surveyed[] = [];
  for await (const secret of (await source.survey({ ...REF, mount: 'mixed' }, () => true)).secrets) found.push(secret);
  t.strictSame(pathsOf(found), [...paths].sort());
});
