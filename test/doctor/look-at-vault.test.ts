import t from 'tap';
import { type Ask, lookAtDevices, lookAtHealth, lookAtMount, lookAtToken } from '../../src/doctor/look-at-vault.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createClient } from '../../src/vault/client.ts';
import { denied, lookupBody, mountBody, noSuchSecret, startVaultHttp } from '../fakes/vault-http.ts';

const vault = await startVaultHttp();
const client = createClient({ address: vault.address, timeout: 2_000 });
t.teardown(async () => {
  client.close();
  await vault.close();
});
const token = new Sensitive('a-token');
const ask: Ask = (namespace, path) => client.request({ method: 'GET', namespace, path, token });
const now = () => 1_000;
const health = { initialized: true, sealed: false, standby: false, version: '1.21.0', server_time_utc: 5 };
const tell = (path: string, body: unknown, status = 200) => vault.on(path, { status, body: JSON.stringify(body) });

t.test('health in its states', async (t) => {
  const cases: readonly (readonly [number, object, object])[] = [
    [200, health, { product: 'Vault', serverTime: 5_000, receivedAt: 1_000, drSecondary: false }],
    [429, { ...health, standby: true }, { standby: true }],
    [503, { ...health, sealed: true }, { sealed: true }],
    [501, { ...health, initialized: false }, { initialized: false }],
    [472, { ...health, replication_dr_mode: 'secondary', enterprise: true }, { drSecondary: true }],
  ];
  for (const [status, body, expected] of cases) {
    tell('/sys/health', body, status);
    t.match(await lookAtHealth(client, vault.address, now), { kind: 'answered', ...expected }, `${status}`);
  }
  const { server_time_utc: _, ...timeless } = health;
  tell('/sys/health', timeless);
  t.notOk('serverTime' in (await lookAtHealth(client, vault.address, now)));
});

t.test('health of something else', async (t) => {
  vault.on('/sys/health', { status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' });
  t.match(await lookAtHealth(client, vault.address, now), { kind: 'foreign', status: 400, wantsTls: true });
  for (const body of ['<html>', '{}', '{"initialized":true,"sealed":false}', '{"initialized":true,"version":"1"}']) {
    vault.on('/sys/health', { body });
    t.match(await lookAtHealth(client, vault.address, now), { kind: 'foreign', wantsTls: false }, body);
  }
});

t.test('health of nobody', async (t) => {
  const gone = await startVaultHttp();
  await gone.close();
  const away = createClient({ address: gone.address, timeout: 2_000 });
  t.match(await lookAtHealth(away, gone.address, now), {
    kind: 'unreachable',
    code: 'ECONNREFUSED',
    reason: /refused/i,
  });
  const overTls = createClient({ address: vault.address.replace('http', 'https'), timeout: 2_000 });
  const found = await lookAtHealth(overTls, 'https://it', now);
  t.match(found, { kind: 'unreachable', address: 'https://it', reason: 'no TLS handshake' });
  away.close();
  overTls.close();
});

t.test('the token', async (t) => {
  const look = (checkToken: () => Promise<void> = async () => undefined) =>
    lookAtToken({ ask, origin: 'token', namespace: '', checkToken, now });
  const path = '/auth/token/lookup-self';
  const fields = {
    id: 'a-token',
    ttl: 60,
    renewable: true,
    period: 30,
    explicit_max_ttl: 90,
    creation_time: 7,
    num_uses: 2,
  };
  vault.on(path, { body: lookupBody({ ...fields, expire_time: '2026-12-01T00:00:00Z', policies: ['a', 'b', 3] }) });
  const seen = await look();
  t.strictSame(seen, {
    ...{ kind: 'valid', origin: 'token', now: 1_000 },
    lease: {
      ...{ expires: true, ttl: 60, renewable: true, period: 30, explicitMaxTtl: 90, creationTime: 7, uses: 2 },
      policies: ['a', 'b'],
    },
  });
  vault.on(path, { body: lookupBody({ expire_time: null, ttl: 0, period: null }) });
  t.match(await look(), { lease: { expires: false, ttl: 0, renewable: false, period: 0, policies: [] } });
  vault.on(path, denied);
  t.strictSame(await look(), { kind: 'unseen' });
  t.strictSame(await look(() => Promise.reject(new Error('dead'))), { kind: 'refused', origin: 'token' });
  vault.on(path, { status: 500, body: '{}' });
  t.match(await look(), { kind: 'unknown', reason: /500/ });
  vault.on(path, { body: '{}' });
  t.match(await look(), { kind: 'unknown' });
});

/** Vault's answer by what is asked for, whatever the random name. */
const mountAsk =
  (answers: Readonly<Record<string, { status: number; body: string }>>): Ask =>
  async (_, path) => {
    const kind = path.replace(/vaultferry-doctor-[0-9a-f]+/, 'NAME');
    const { status, body } = answers[kind] ?? { status: 404, body: '{"errors":[]}' };
    return { status, text: new Sensitive(body) };
  };
const ref = { namespace: '', mount: 'kv' };
const routed = { ref, wanted: ['auto'] as const, freePath: 'vaultferry-doctor-1', atOnce: false };
const entry = { '/sys/internal/ui/mounts/kv': { status: 200, body: mountBody('kv') } };
const no = { status: 403, body: '{"errors":["permission denied"]}' };

t.test('a mount, its rights tried by names that do not exist', async (t) => {
  t.strictSame(await lookAtMount(mountAsk(entry), routed), {
    ...{ ref, wanted: ['auto'], entry: { kind: 'shown', kv: 2 } },
    rights: { value: 'granted', list: 'granted', metadata: 'granted' },
  });
  const cases: readonly (readonly [string, object])[] = [
    ['/kv/data/NAME', { value: 'denied' }],
    ['/kv/metadata/?list=true', { list: 'denied' }],
    ['/kv/metadata/NAME/?list=true', { list: 'denied' }],
    ['/kv/metadata/NAME', { metadata: 'denied' }],
    ['/kv/detailed-metadata/NAME/?list=true', { atOnce: 'denied' }],
    ['/kv/metadata/NAME/?scan=true', { atOnce: 'denied' }],
  ];
  const granted = { value: 'granted', list: 'granted', metadata: 'granted', atOnce: 'granted' };
  for (const [path, lacking] of cases) {
    const { rights } = await lookAtMount(mountAsk({ ...entry, [path]: no }), { ...routed, atOnce: true });
    t.strictSame(rights, { ...granted, ...lacking }, path);
  }
});

t.test('what is no yes and no no', async (t) => {
  const gone = { status: 404, body: '{"errors":["no handler for route"]}' };
  const answers = { '/kv/data/NAME': gone, '/kv/metadata/NAME': { status: 500, body: '' } };
  const { rights, entry: shown } = await lookAtMount(mountAsk(answers), { ...routed, freePath: undefined });
  t.match(rights, { value: undefined, list: 'granted', metadata: { unknown: /500/ } });
  t.match(shown, { kind: 'unknown' });
  t.match((await lookAtMount(mountAsk(answers), routed)).rights, { value: 'no_mount' });
  const hidden = { '/sys/internal/ui/mounts/kv': no };
  t.match(await lookAtMount(mountAsk(hidden), routed), { entry: { kind: 'hidden' } });
  const pki = { '/sys/internal/ui/mounts/kv': { status: 200, body: mountBody('kv', 'a', 'pki', '{}') } };
  t.match(await lookAtMount(mountAsk(pki), routed), { entry: { kind: 'not_kv', reason: /pki/ } });
  const broken: Ask = async () => Promise.reject(new TypeError('x'));
  await t.rejects(lookAtMount(broken, routed), TypeError);
});

t.test('audit devices', async (t) => {
  const file = { type: 'file', options: { file_path: '/a', log_raw: false } };
  tell('/sys/audit', { data: { 'file/': file, 'odd/': {} } });
  t.strictSame(await lookAtDevices(client, token), [
    { path: 'file/', type: 'file', options: { file_path: '/a', log_raw: 'false' } },
    { path: 'odd/', type: '', options: {} },
  ]);
  t.equal(vault.requests.at(-1)?.headers['x-vault-token'], 'a-token');
  for (const reply of [denied, noSuchSecret, { status: 200, body: '{}' }]) {
    vault.on('/sys/audit', reply);
    t.strictSame(await lookAtDevices(client, token), { status: reply.status });
  }
});
