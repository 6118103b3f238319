import t from 'tap';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createVaultSource } from '../../src/vault/source.ts';
import { type OpenBao, startOpenBao } from '../servers/openbao.ts';
import { accepted, send } from '../servers/openbao-api.ts';
import { until } from '../servers/until.ts';
import { configFile, policyLines, renderPolicy, writePolicy } from './files.ts';

const MOUNT = 'hybrid-aws-secrets';
const ref: SecretRef = { namespace: '', mount: MOUNT, path: 'app/one' };
const inNamespace: SecretRef = { namespace: 'team-a', mount: 'kv/two', path: 'one' };

const bao = await startOpenBao();
t.teardown(() => bao.stop());
await bao.createKv(MOUNT, 2);
await bao.createKv('super-secret-engine', 2);
await bao.createKv(inNamespace.mount, 2, inNamespace.namespace);
for (const path of ['app/one', 'app/deep/two', 'three']) await bao.put(MOUNT, path, { k: 'canary-value' });
await bao.put('super-secret-engine', 'crown-jewels', { k: 'canary-value' });
await bao.put(inNamespace.mount, inNamespace.path, { k: 'canary-value' }, inNamespace.namespace);

const replicator = await tokenWith(bao, 'vaultferry', renderPolicy('openbao', [MOUNT, 'team-a/kv/two']));
const source = createVaultSource({
  address: bao.address,
  timeout: 10_000,
  token: { token: new Sensitive(replicator) },
});
t.teardown(() => source.close());

/** A token of this policy alone, without the default one. */
async function tokenWith({ request }: OpenBao, name: string, policy: string, ttl = '1h'): Promise<string> {
  accepted(await request('PUT', `sys/policies/acl/${name}`, { policy }), 'PUT', 'policy');
  const body = { policies: [name], no_default_policy: true, ttl };
  const made = accepted(await request('POST', 'auth/token/create', body), 'POST', 'token');
  return (made.body as { auth: { client_token: string } }).auth.client_token;
}

const status = async (method: string, path: string, body?: unknown, token = replicator, namespace = '') =>
  (await bao.request(method, path, body, { token, namespace })).status;

const get = (path: string) => async (): Promise<void> => {
  accepted(await bao.request('GET', path, undefined, { token: replicator }), 'GET', path);
};

async function names(mount: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const path of source.list({ namespace: '', mount })) found.push(path);
  return found.sort();
}

/** What VaultFerry does in Vault. */
const OPERATIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  'read a value': () => source.read(ref),
  'see a mount': () => source.mount(ref),
  'list the names, folder by folder': () => names(MOUNT),
  'see the versions of one secret': get(`${MOUNT}/metadata/app/one`),
  'list all names at once': get(`${MOUNT}/metadata/?scan=true`),
  'see the versions in one folder': get(`${MOUNT}/detailed-metadata/app/?list=true`),
  'see all versions at once': get(`${MOUNT}/detailed-metadata/?scan=true`),
  'ask for its token': () => source.ping(),
  'renew its token': async () =>
    accepted(await bao.request('POST', 'auth/token/renew-self', {}, { token: replicator }), 'POST', 'renew-self'),
};

/** Each line of the policy, and what cannot be done without it. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  [`${MOUNT}/data/* read`]: ['read a value'],
  [`${MOUNT}/metadata/* read`]: ['see the versions of one secret'],
  [`${MOUNT}/metadata/* list`]: ['list the names, folder by folder'],
  [`${MOUNT}/metadata/* scan`]: ['list all names at once'],
  [`${MOUNT}/detailed-metadata/* list`]: ['see the versions in one folder'],
  [`${MOUNT}/detailed-metadata/* scan`]: ['see all versions at once'],
  'auth/token/lookup-self read': ['ask for its token'],
  'auth/token/renew-self update': ['renew its token'],
};

async function denied(): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const [name, attempt] of Object.entries(OPERATIONS)) {
    await attempt().catch(() => refused.push(name));
  }
  return refused;
}

t.test('with this policy and no other, everything that VaultFerry does is allowed', async (t) => {
  t.strictSame(await denied(), []);
  t.match(await source.read(ref), { kind: 'present', version: 1 });
  t.match(await source.mount(ref), { kv: 2 });
  t.match(await source.read({ ...ref, path: 'nothing/here' }), { kind: 'absent', why: 'purged' });
  t.strictSame(await names(MOUNT), ['app/deep/two', 'app/one', 'three']);
});

t.test('each line is needed: without it just this is denied', async (t) => {
  const lines = policyLines(renderPolicy('openbao', [MOUNT]));
  t.strictSame(
    lines.map(({ path, capability }) => `${path} ${capability}`).sort(),
    Object.keys(NEEDED).sort(),
    'the table has every line',
  );
  for (const line of lines) {
    const policy = writePolicy(lines.filter((other) => other !== line));
    accepted(await bao.request('PUT', 'sys/policies/acl/vaultferry', { policy }), 'PUT', 'policy');
    const key = `${line.path} ${line.capability}`;
    t.strictSame(await denied(), NEEDED[key], `without ${key}`);
  }
  const policy = renderPolicy('openbao', [MOUNT, 'team-a/kv/two']);
  accepted(await bao.request('PUT', 'sys/policies/acl/vaultferry', { policy }), 'PUT', 'policy');
});

t.test("on OpenBao one request tells what the walk through the folders tells, and each secret's version", async (t) => {
  const scanned = await bao.request('GET', `${MOUNT}/metadata/?scan=true`, undefined, { token: replicator });
  const { keys } = (scanned.body as { data: { keys: readonly string[] } }).data;
  t.strictSame([...keys].sort(), await names(MOUNT));
  const detailed = await bao.request('GET', `${MOUNT}/detailed-metadata/?scan=true`, undefined, { token: replicator });
  t.match(detailed.body, { data: { key_info: { 'app/one': { current_version: 1 }, three: { current_version: 1 } } } });
});

t.test('a mount of several segments in a namespace is read with a token of the root namespace', async (t) => {
  t.match(await source.read(inNamespace), { kind: 'present', version: 1 });
  t.match(await source.mount(inNamespace), { kv: 2 });
});

t.test('the replicator reads no other mount', async (t) => {
  const other = { namespace: '', mount: 'super-secret-engine', path: 'crown-jewels' };
  await t.rejects(source.read(other), { code: 'source_forbidden' });
  await t.rejects(source.mount(other), { code: 'source_unavailable' });
  await t.rejects(names(other.mount), { code: 'source_unavailable' });
  for (const path of [
    'data/crown-jewels',
    'metadata/crown-jewels',
    'metadata/?list=true',
    'metadata/?scan=true',
    'detailed-metadata/?scan=true',
    'subkeys/crown-jewels',
  ]) {
    t.equal(await status('GET', `super-secret-engine/${path}`), 403, path);
  }
});

t.test('the replicator changes nothing and sees nothing else', async (t) => {
  const data = { data: { k: 'other' } };
  const attempts: readonly (readonly [string, string, unknown?])[] = [
    ['POST', `${MOUNT}/data/app/one`, data],
    ['POST', `${MOUNT}/data/new`, data],
    ['DELETE', `${MOUNT}/data/app/one`],
    ['POST', `${MOUNT}/delete/app/one`, { versions: [1] }],
    ['POST', `${MOUNT}/undelete/app/one`, { versions: [1] }],
    ['POST', `${MOUNT}/destroy/app/one`, { versions: [1] }],
    ['POST', `${MOUNT}/metadata/app/one`, { max_versions: 1 }],
    ['DELETE', `${MOUNT}/metadata/app/one`],
    ['GET', `${MOUNT}/config`],
    ['GET', `${MOUNT}/subkeys/app/one`],
    ['GET', 'sys/mounts'],
    ['GET', 'sys/audit'],
    ['GET', 'sys/policies/acl?list=true'],
    ['POST', 'auth/token/create', {}],
    ['POST', 'auth/token/revoke-self', {}],
    ['GET', 'cubbyhole/a'],
  ];
  for (const [method, path, body] of attempts) t.equal(await status(method, path, body), 403, `${method} ${path}`);
  const headers = { 'x-vault-token': replicator, 'content-type': 'application/merge-patch+json' };
  t.equal((await send(`${bao.address}/v1/${MOUNT}/data/app/one`, 'PATCH', data, headers)).status, 403, 'PATCH');
  t.equal(await status('GET', 'kv/two/data/other', undefined, replicator, 'team-a'), 404, 'routed in its namespace');
  t.equal(await status('GET', 'sys/mounts', undefined, replicator, 'team-a'), 403);
});

t.test('a token of the policy keeps itself alive', async (t) => {
  const token = new Sensitive(await tokenWith(bao, 'vaultferry-short', renderPolicy('openbao', [MOUNT]), '2s'));
  const events: string[] = [];
  const note = (fields: object): void => void events.push(String(Object.values(fields)[0]));
  const log = { debug: note, info: note, warn: note, error: note };
  const kept = createVaultSource({ address: bao.address, timeout: 10_000, token: { token }, log });
  t.teardown(() => kept.close());
  kept.renew();
  await until(() => events.length >= 2, { what: 'two renewals' });
  t.strictSame([...new Set(events)], ['vault.token_renewed']);
  await kept.ping();
});

t.test("Vault's policy has what both servers know, and OpenBao's only adds to it", (t) => {
  const vault = policyLines(renderPolicy('vault', [MOUNT]));
  t.notOk(vault.some(({ capability }) => capability === 'scan'));
  const openbao = policyLines(renderPolicy('openbao', [MOUNT]));
  const added = openbao.filter((line) => !vault.some((other) => JSON.stringify(other) === JSON.stringify(line)));
  t.equal(added.length, openbao.length - vault.length);
  t.end();
});

t.test('the operator sees the audit devices and no more, and needs each of its capabilities for that', async (t) => {
  const policy = configFile('policies/operator.hcl');
  const operator = await tokenWith(bao, 'operator', policy);
  t.equal(await status('GET', 'sys/audit', undefined, operator), 200);
  for (const path of ['sys/mounts', `${MOUNT}/data/app/one`, 'sys/policies/acl/vaultferry']) {
    t.equal(await status('GET', path, undefined, operator), 403, path);
  }
  const lines = policyLines(policy);
  t.equal(lines.length, 2);
  for (const line of lines) {
    const less = await tokenWith(bao, 'operator-less', writePolicy(lines.filter((other) => other !== line)));
    t.equal(await status('GET', 'sys/audit', undefined, less), 403, `without ${line.capability}`);
  }
});
