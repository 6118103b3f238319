import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { createVaultSource } from '../../src/vault/source.ts';
import { accepted, send } from '../servers/openbao-api.ts';
import { until } from '../servers/until.ts';
import { configFile, renderPolicy } from './files.ts';
import { freshOpenBao, readText } from './fresh-openbao.ts';
import { likeVault } from './like-vault.ts';
import { runScript } from './run-script.ts';

const bao = await freshOpenBao(t);
const state = join(bao.folder, 'state');
const credentials = join(bao.folder, 'credentials');
const env = { VAULT_ADDR: bao.address, DEMO_STATE_DIR: state, DEMO_CREDENTIALS_DIR: credentials };
const init = (more: NodeJS.ProcessEnv = {}) => runScript('demo-init.sh', [], { ...env, ...more });
const file = (path: string): string => readText(path).trim();

/** Everything that no output may show. */
function secrets(): readonly string[] {
  const { keys, keys_base64: encoded, root_token: root } = JSON.parse(file(join(state, 'init.json')));
  return [...keys, ...encoded, root, file(join(credentials, 'secret-id')), 'made-up', 'db.example', 'crown'];
}

const shown = (output: string): readonly string[] => secrets().filter((secret) => output.includes(secret));

/** Logs in as the worker does. */
async function workerToken(): Promise<string> {
  const body = { role_id: 'vaultferry-demo', secret_id: file(join(credentials, 'secret-id')) };
  const login = accepted(await send(`${bao.address}/v1/auth/approle/login`, 'POST', body), 'POST', 'login');
  return (login.body as { auth: { client_token: string } }).auth.client_token;
}

t.test('a fresh server is initialised, unsealed, configured and seeded', async (t) => {
  const ran = await init();
  t.match(ran, { code: 0, stderr: '' });
  t.match(ran.stdout, /server: initialised\nserver: unsealed\npolicy vaultferry: written\n/);
  t.match(ran.stdout, /server: ready\n$/);
  t.strictSame(shown(ran.stdout.replaceAll(/^secret .*$/gm, '')), [], 'no secret shows');
  for (const path of ['init.json', 'root-token']) t.equal(statSync(join(state, path)).mode & 0o777, 0o600, path);
  t.equal(statSync(join(credentials, 'secret-id')).mode & 0o777, 0o600);
  t.equal(statSync(join(credentials, 'role-id')).mode & 0o777, 0o644);
  t.equal(file(join(credentials, 'role-id')), 'vaultferry-demo');
});

t.test('the worker reads the two secrets and demonstrably not the third', async (t) => {
  const token = { token: new Sensitive(await workerToken()) };
  const source = createVaultSource({ address: bao.address, timeout: 10_000, token });
  t.teardown(() => source.close());
  const paths: string[] = [];
  for await (const path of source.list({ namespace: '', mount: 'hybrid-aws-secrets' })) paths.push(path);
  t.strictSame(paths.sort(), ['app/api', 'app/database']);
  for (const path of paths) {
    t.match(await source.read({ namespace: '', mount: 'hybrid-aws-secrets', path }), { kind: 'present', version: 1 });
  }
  const jewels = { namespace: '', mount: 'super-secret-engine', path: 'crown-jewels' };
  const root = { 'x-vault-token': file(join(state, 'root-token')) };
  t.equal((await send(`${bao.address}/v1/super-secret-engine/data/crown-jewels`, 'GET', undefined, root)).status, 200);
  await t.rejects(source.read(jewels), { code: 'source_forbidden' });
});

t.test('both audit devices of the configuration have the writes', async (t) => {
  const line = /"mount_point":"hybrid-aws-secrets\/"/;
  await until(() => line.test(bao.received()), { what: 'the socket device' });
  t.match(readText(bao.auditFile), line);
});

t.test('a second run changes nothing', async (t) => {
  const before = ['init.json', 'root-token'].map((name) => readText(join(state, name)));
  const id = file(join(credentials, 'secret-id'));
  const ran = await init({ DEMO_AUDIT_ADDRESS: '127.0.0.1:1' });
  t.match(ran, { code: 0, stderr: '' });
  t.equal(
    ran.stdout,
    `policy vaultferry: unchanged\nrole approle/vaultferry: unchanged\nrole id: vaultferry-demo\nrole id: written to ${credentials}/role-id\nserver: ready\n`,
  );
  t.strictSame(
    ['init.json', 'root-token'].map((name) => readText(join(state, name))),
    before,
  );
  t.equal(file(join(credentials, 'secret-id')), id);
  await workerToken();
});

t.test('after a restart it unseals, and a lost secret id is made anew', async (t) => {
  await bao.restart();
  const ran = await init();
  t.match(ran, { code: 0, stderr: '' });
  t.match(ran.stdout, /^server: unsealed\npolicy vaultferry: unchanged\n/);
  writeFileSync(join(credentials, 'secret-id'), 'of-another-server\n');
  t.match((await init()).stdout, /secret id: written/);
  await workerToken();
});

t.test('it says what is wrong', async (t) => {
  const other = await init({ DEMO_STATE_DIR: join(bao.folder, 'empty') });
  t.match(other, { code: 1, stdout: '', stderr: /is initialised, and .*\/empty\/init.json does not have its key/ });
  const nobody = await init({ VAULT_ADDR: 'http://127.0.0.1:1', DEMO_WAIT: '0' });
  t.match(nobody, { code: 1, stdout: '', stderr: /gave no answer within 0 s: curl/ });
  t.match(await runScript('demo-init.sh', ['--help'], {}), { code: 0, stdout: /DEMO_STATE_DIR/ });
  t.match(await runScript('demo-init.sh', ['x'], {}), { code: 2, stdout: '' });
});

t.test('a server that takes audit devices by API, and no scan, is set up the same way', async (t) => {
  const server = await freshOpenBao(t, { api: true });
  const vault = await likeVault(t, server.address);
  const own = {
    VAULT_ADDR: vault,
    DEMO_STATE_DIR: join(server.folder, 'state'),
    DEMO_CREDENTIALS_DIR: join(server.folder, 'credentials'),
    DEMO_AUDIT_ADDRESS: server.receiver,
    DEMO_AUDIT_FILE: server.auditFile,
  };
  const first = await init(own);
  t.match(first, { code: 0, stderr: '' });
  t.match(first.stdout, /audit device file\/: enabled\naudit device vaultferry\/: enabled\n/);
  const line = /"mount_point":"hybrid-aws-secrets\/"/;
  await until(() => line.test(server.received()), { what: 'the socket device' });
  t.match(readText(server.auditFile), line);
  t.match(await init(own), { code: 0, stderr: '', stdout: /^policy vaultferry: unchanged\n/ });
  const root = { 'x-vault-token': file(join(server.folder, 'state/root-token')) };
  const policy = await send(`${vault}/v1/sys/policies/acl/vaultferry`, 'GET', undefined, root);
  t.match(policy.body, { data: { policy: renderPolicy('vault', ['hybrid-aws-secrets']) } });

  const request = (method: string, path: string, body?: unknown) => send(`${vault}/v1/${path}`, method, body, root);
  for (const name of ['vaultferry', 'file']) accepted(await request('DELETE', `sys/audit/${name}`), 'DELETE', name);
  await request('PUT', 'sys/policies/acl/apply', { policy: configFile('policies/apply.hcl') });
  const made = await request('POST', 'auth/token/create', { policies: ['apply'], no_default_policy: true });
  const operator = (made.body as { auth: { client_token: string } }).auth.client_token;
  const devices = (socket: string) =>
    runScript(
      'apply.sh',
      ['--mount', 'hybrid-aws-secrets', '--audit-file', server.auditFile, '--audit-socket', socket],
      { VAULT_ADDR: vault, VAULT_TOKEN: operator },
    );
  const enabled = /audit device file\/: enabled\naudit device vaultferry\/: enabled\n$/;
  t.match(await devices(server.receiver), { code: 0, stderr: '', stdout: enabled }, 'with the least policy');
  const unchanged = /audit device file\/: unchanged\naudit device vaultferry\/: unchanged\n$/;
  t.match(await devices(server.receiver), { code: 0, stderr: '', stdout: unchanged });
  t.match(await devices('127.0.0.1:1'), { code: 1, stderr: /vaultferry\/ is there with other options/ });
});
