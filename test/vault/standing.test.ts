import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createAsk } from '../../src/vault/ask.ts';
import { createClient } from '../../src/vault/client.ts';
import { createLoginReader } from '../../src/vault/login.ts';
import { appRole } from '../../src/vault/login-methods.ts';
import { createLogIn } from '../../src/vault/post-login.ts';
import { createVaultSource, type VaultOptions } from '../../src/vault/source.ts';
import { denied, lookupBody, mountBody, type Seen, startVaultHttp, valueBody } from '../fakes/vault-http.ts';
import { until } from '../servers/until.ts';
import { loginBody, recorder, standingClock } from './house.ts';

const VALUE = '/kv/data/a';
const ENTRY = '/sys/internal/ui/mounts/kv';
const LOOKUP = '/auth/token/lookup-self';
const LOGIN = '/auth/approle/login';
const ref: SecretRef = { namespace: '', mount: 'kv', path: 'a' };
const other = { namespace: '', mount: 'other' };
const roleAuth = { login: appRole({ mount: 'approle', roleId: 'r', secretId: new Sensitive('canary') }) };

async function world(t: Test, options: Partial<VaultOptions> = {}) {
  const vault = await startVaultHttp();
  const token = { token: new Sensitive('s.1') };
  const source = createVaultSource({ address: vault.address, timeout: 5000, token, mounts: [ref], ...options });
  t.teardown(async () => {
    await source.close();
    await vault.close();
  });
  vault.on(ENTRY, { body: mountBody('kv') });
  return { vault, source };
}

/** Answers so to those who show the token, and with 403 to everybody else. */
const only = (token: string, body: string) => (seen: Seen) =>
  seen.headers['x-vault-token'] === token ? { body } : denied;

t.test('a token whose policy lacks lookup-self is not taken for dead', async (t) => {
  const { vault, source } = await world(t, { mounts: [other, ref] });
  vault.on(LOOKUP, denied);
  vault.on(VALUE, denied);
  vault.on('/sys/internal/ui/mounts/other', denied);
  await t.rejects(source.read(ref), { code: 'source_forbidden', message: /kv\/data\/a/ });
  await source.ping();
  vault.on(ENTRY, denied);
  await t.rejects(source.ping(), { code: 'source_unavailable', message: /no longer valid/ }, 'nothing speaks for it');
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /no longer valid/ });
  vault.on(ENTRY, { status: 503 });
  await t.rejects(source.ping(), { code: 'source_unavailable', message: /503/ }, 'Vault does not say');
});

t.test('a bounded number of mounts is asked about a token', async (t) => {
  const mounts = Array.from({ length: 20 }, (_, i) => ({ namespace: '', mount: `m${i}` }));
  const { vault, source } = await world(t, { mounts });
  vault.on(LOOKUP, denied);
  for (const { mount } of mounts) vault.on(`/sys/internal/ui/mounts/${mount}`, denied);
  await t.rejects(source.ping(), { code: 'source_unavailable' });
  t.equal(vault.requests.length, 9);
});

t.test('a token that is replaced between the refusal and the lookup reads once more', async (t) => {
  const tokenFile = join(t.testdir({ token: 's.1' }), 'token');
  const { vault, source } = await world(t, { token: { tokenFile } });
  vault.on(VALUE, only('s.2', valueBody('{}')));
  // The file changes while Vault says of the first token that it stands.
  vault.on(LOOKUP, () => {
    writeFileSync(tokenFile, 's.2');
    return { body: lookupBody() };
  });
  t.match(await source.read(ref), { kind: 'present' });
  const asked = vault.requests.filter(({ path }) => path === LOOKUP).map(({ headers }) => headers['x-vault-token']);
  t.strictSame(asked, ['s.1'], 'the lookup is of the token that was refused');
});

t.test('a refusal by a node that does not know the token yet is asked again', async (t) => {
  const { vault, source } = await world(t);
  vault.on(LOOKUP, { body: lookupBody() });
  vault.on(VALUE, denied, { body: valueBody('{}') });
  t.match(await source.read(ref), { kind: 'present' });
});

t.test('a token that changes at every refusal is asked again later, and never forbidden', async (t) => {
  const tokenFile = join(t.testdir({ token: 's.1' }), 'token');
  const { vault, source } = await world(t, { token: { tokenFile } });
  vault.on(LOOKUP, { body: lookupBody() });
  let turn = 1;
  vault.on(VALUE, () => {
    turn += 1;
    writeFileSync(tokenFile, `s.${turn}`);
    return denied;
  });
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /token was changed/ });
  vault.on(LOOKUP, denied);
  vault.on(ENTRY, denied);
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /token was changed/ }, 'dead or not');
});

t.test('a dead token of a login is replaced by another login, one for all who read', async (t) => {
  const { vault } = await world(t);
  const client = createClient({ address: vault.address, timeout: 5000 });
  t.teardown(client.close);
  const { timing, pass } = standingClock();
  const tokens = createLoginReader(createLogIn(client, roleAuth.login, ''), recorder().log, timing);
  const reader = createAsk(client, tokens, { mounts: [ref] });
  vault.on(LOGIN, { body: loginBody('s.1', 60) }, { body: loginBody('s.2', 60) });
  vault.on(VALUE, only('s.1', valueBody('{}')));
  t.equal((await reader.get('', VALUE, 'a')).status, 200);
  pass(30_000);
  for (const path of [VALUE, ENTRY, LOOKUP]) vault.on(path, only('s.2', '{}'));
  const answers = await Promise.all(Array.from({ length: 20 }, () => reader.get('', VALUE, 'a')));
  t.ok(answers.every(({ status }) => status === 200));
  t.equal(vault.count(LOGIN), 2);
});

t.test('a ping replaces a dead token too, and says so when that one is dead as well', async (t) => {
  const tokenFile = join(t.testdir({ token: 's.1' }), 'token');
  const { vault, source } = await world(t, { token: { tokenFile } });
  vault.on(ENTRY, denied);
  vault.on(LOOKUP, only('s.1', lookupBody()));
  await source.ping();
  await writeFile(tokenFile, 's.2');
  vault.on(LOOKUP, only('s.2', lookupBody()));
  await source.ping();
  await writeFile(tokenFile, 's.3');
  vault.on(LOOKUP, denied);
  await t.rejects(source.ping(), { message: /no longer valid/ });
});

t.test('a login that fails is what a read says', async (t) => {
  const { vault, source } = await world(t, { token: roleAuth });
  vault.on(LOGIN, { status: 400, body: '{"errors":["canary"]}' });
  const settled = await Promise.allSettled(Array.from({ length: 20 }, () => source.read(ref)));
  t.ok(settled.every(({ status }) => status === 'rejected'));
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /refused the login at auth\/approle/ });
  t.equal(vault.count(LOGIN), 1, 'one login was tried for all');
});

t.test('the token is looked up and renewed in the namespace that issued it', async (t) => {
  const { vault, source } = await world(t, { namespace: 'team-a', token: roleAuth });
  vault.on(LOGIN, { body: loginBody('s.1', 2) });
  vault.on('/auth/token/renew-self', { body: loginBody('s.1', 60) });
  vault.on(LOOKUP, { body: lookupBody() });
  await source.ping();
  source.renew();
  await until(() => vault.count('/auth/token/renew-self') === 1, { what: 'the renewal' });
  for (const { path, headers } of vault.requests) t.equal(headers['x-vault-namespace'], 'team-a', path);
  t.strictSame(
    vault.requests.map(({ method, path }) => `${method} ${path}`),
    [`POST ${LOGIN}`, `GET ${LOOKUP}`, 'POST /auth/token/renew-self'],
  );
});

t.test('a secret elsewhere may name Vault and the token', async (t) => {
  const first = await world(t);
  const { vault, source } = await world(t, {
    address: undefined,
    token: { connection: async () => ({ address: first.vault.address, token: new Sensitive('s.1') }) },
  });
  first.vault.on(VALUE, only('s.1', valueBody('{}')));
  t.match(await source.read(ref), { kind: 'present' });
  t.equal(vault.requests.length, 0);
  const pinned = await world(t, {
    token: { connection: async () => ({ address: 'http://127.0.0.1:1', token: new Sensitive('s.1') }) },
  });
  pinned.vault.on(VALUE, only('s.1', valueBody('{}')));
  t.match(await pinned.source.read(ref), { kind: 'present' }, 'an address of the configuration counts before it');
  const unreadable = new ReplicationError('source_unavailable', 'the secret cannot be read');
  const lost = await world(t, { address: undefined, token: { connection: () => Promise.reject(unreadable) } });
  await t.rejects(lost.source.read(ref), { message: 'the secret cannot be read' });
  await t.rejects(lost.source.ping(), { message: 'the secret cannot be read' });
  t.throws(() => createVaultSource({ timeout: 1, token: { token: new Sensitive('x') } }), TypeError);
});
