import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { createVaultSource } from '../../src/vault/source.ts';
import { folderFor } from '../servers/child.ts';
import { startOpenBao } from '../servers/openbao.ts';
import { accepted, type Credentials, send } from '../servers/openbao-api.ts';
import { configFile, renderPolicy } from './files.ts';
import { runScript } from './run-script.ts';

const MOUNTS = ['--mount', 'hybrid-aws-secrets', '--mount', 'team-a:kv/two'];
const PATHS = ['hybrid-aws-secrets', 'team-a/kv/two'];

const bao = await startOpenBao();
t.teardown(() => bao.stop());
const { path: folder } = await folderFor('apply');
await bao.createKv('kv/two', 2, 'team-a');
await demand('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
const operator = await tokenOf(configFile('policies/apply.hcl'));

async function demand(method: string, path: string, body?: unknown, as?: Credentials): Promise<unknown> {
  return accepted(await bao.request(method, path, body, as), method, path).body;
}

async function tokenOf(policy: string): Promise<string> {
  await demand('PUT', 'sys/policies/acl/apply', { policy });
  const made = await demand('POST', 'auth/token/create', { policies: ['apply'], no_default_policy: true });
  return (made as { auth: { client_token: string } }).auth.client_token;
}

const apply = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  runScript('apply.sh', args, { VAULT_ADDR: bao.address, VAULT_TOKEN: operator, HOME: folder, ...env });

const file = (name: string): string => readFileSync(join(folder, name), 'utf8').trim();

async function login(name: string, secretId: string, path = 'approle'): Promise<number> {
  const { data } = (await demand('GET', `auth/${path}/role/${name}/role-id`)) as { data: { role_id: string } };
  const body = { role_id: data.role_id, secret_id: secretId };
  return (await send(`${bao.address}/v1/auth/${path}/login`, 'POST', body)).status;
}

/** A folder for PATH whose curl and jq first note how they were called. */
function recorders(): { readonly path: string; calls(): string } {
  const bin = join(folder, 'bin');
  const log = join(folder, 'calls');
  mkdirSync(bin);
  for (const name of ['curl', 'jq']) {
    const real = `PATH='${process.env['PATH']}' command -v ${name}`;
    writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s\\n' "$@" >>'${log}'\nexec "$(${real})" "$@"\n`, {
      mode: 0o755,
    });
  }
  return { path: `${bin}:${process.env['PATH']}`, calls: () => readFileSync(log, 'utf8') };
}

t.test('--print-policy prints the policy by its rule, without any server', async (t) => {
  for (const server of ['vault', 'openbao'] as const) {
    const ran = await runScript('apply.sh', [...MOUNTS, '--print-policy', server], {});
    t.strictSame(ran, { code: 0, stdout: renderPolicy(server, PATHS), stderr: '' });
  }
});

t.test('a mount is spelled as the policy of its namespace needs it', async (t) => {
  const cases: readonly (readonly [readonly string[], readonly string[], string?])[] = [
    [['kv/'], ['kv']],
    [['kv', 'kv/', 'kv'], ['kv']],
    [['a%3Ab%25/c'], ['a:b%/c']],
    [['é&|z'], ['é&|z']],
    [['team/sub:kv', 'team:kv'], ['sub/kv', 'kv'], 'team'],
    [['team:kv'], ['kv'], 'team/'],
  ];
  for (const [mounts, paths, namespace] of cases) {
    const args = mounts.flatMap((mount) => ['--mount', mount]);
    const env = namespace === undefined ? {} : { VAULT_NAMESPACE: namespace };
    const { stdout } = await runScript('apply.sh', [...args, '--print-policy', 'vault'], env);
    t.equal(stdout, renderPolicy('vault', paths), mounts.join(' '));
  }
});

t.test('what no policy can name, and what is asked wrongly, ends with 2 before any request', async (t) => {
  const wrong: readonly (readonly string[])[] = [
    [],
    ...['a*', 'a"b', 'a\\b', 'a{b', 'a$', 'a\nb', '+/b', 'a//b', ':kv', 'ns:', 'ns:/', '/'].map((mount) => [
      '--mount',
      mount,
    ]),
    ['--mount', ''],
    ['--mount'],
    ['--frobnicate'],
    [...MOUNTS, '--print-policy', 'consul'],
    [...MOUNTS, '--kubernetes', 'no-slash'],
    [...MOUNTS, '--role-id', 'without-approle'],
    [...MOUNTS, '--approle', '--wrap-ttl', '5m'],
    [...MOUNTS, '--audit-socket', 'no-port'],
  ];
  for (const args of wrong) {
    const ran = await apply(args, { VAULT_ADDR: 'http://127.0.0.1:1' });
    t.match(ran, { code: 2, stdout: '', stderr: /^apply\.sh: .*\n/ }, args.join(' '));
  }
  t.match(await apply(['--mount', 'kv'], { VAULT_NAMESPACE: 'team' }), { code: 2 });
  t.match(await apply(['--mount', 'other:kv'], { VAULT_NAMESPACE: 'team' }), { code: 2 });
  t.match(await apply(['--mount', 'team:kv', '--audit-file', '/x'], { VAULT_NAMESPACE: 'team' }), { code: 2 });
  t.match(await apply(MOUNTS, { VAULT_ADDR: '' }), { code: 2, stderr: /set VAULT_ADDR/ });
  t.match(await apply(MOUNTS, { VAULT_TOKEN: '' }), { code: 2, stderr: /set VAULT_TOKEN/ });
  t.match(await apply(['--help']), { code: 0, stdout: /^Usage: apply\.sh/, stderr: '' });
});

t.test('a dry run says what it would write, and writes nothing', async (t) => {
  const ran = await apply([...MOUNTS, '--approle', '--dry-run']);
  t.match(ran, { code: 0, stderr: '', stdout: /would be written/ });
  t.equal((await bao.request('GET', 'sys/policies/acl/vaultferry')).status, 404);
  t.notMatch(await demand('GET', 'sys/auth'), { 'approle/': Object });
  const aws = await apply([...MOUNTS, '--aws', 'arn:aws:iam::123456789012:role/x', '--dry-run'], {
    VAULT_TOKEN: bao.rootToken,
  });
  t.match(aws, { code: 1, stderr: /the auth method aws\/ is not enabled/ });
});

t.test('applied with the least policy, twice: written, then unchanged', async (t) => {
  const args = [
    ...MOUNTS,
    '--approle',
    '--role-id',
    'mine',
    '--kubernetes',
    'apps/ferry',
    '--kubernetes-audience',
    'v',
  ];
  const first = await apply(args);
  t.strictSame(first, {
    code: 0,
    stderr: '',
    stdout:
      'policy vaultferry: written\nauth method approle/: enabled\nrole approle/vaultferry: written\n' +
      'role id: set as given\nrole id: mine\nrole kubernetes/vaultferry: written\n',
  });
  t.strictSame(await apply(args), {
    code: 0,
    stderr: '',
    stdout:
      'policy vaultferry: unchanged\nrole approle/vaultferry: unchanged\nrole id: mine\n' +
      'role kubernetes/vaultferry: unchanged\n',
  });
  t.match(await demand('GET', 'sys/policies/acl/vaultferry'), { data: { policy: renderPolicy('openbao', PATHS) } });
  t.match(await demand('GET', 'auth/kubernetes/role/vaultferry'), {
    data: {
      bound_service_account_names: ['ferry'],
      bound_service_account_namespaces: ['apps'],
      audience: 'v',
      token_policies: ['vaultferry'],
      token_no_default_policy: true,
    },
  });
  t.match(await demand('GET', 'auth/approle/role/vaultferry'), {
    data: { token_policies: ['vaultferry'], token_no_default_policy: true, token_ttl: 3600, token_max_ttl: 86400 },
  });
});

t.test('what was changed by hand is put right', async (t) => {
  await demand('PUT', 'sys/policies/acl/vaultferry', { policy: renderPolicy('vault', PATHS) });
  await demand('POST', 'auth/approle/role/vaultferry', { token_policies: ['vaultferry', 'default'] });
  const { stdout } = await apply([...MOUNTS, '--approle']);
  t.equal(stdout, 'policy vaultferry: written\nrole approle/vaultferry: written\nrole id: mine\n');
});

t.test('a secret id goes to its file alone: on no command line, in no output', async (t) => {
  const { path, calls } = recorders();
  const args = [...MOUNTS, '--approle', '--secret-id-file', join(folder, 'id'), '--role-id-file', join(folder, 'role')];
  const ran = await apply(args, { PATH: path });
  t.match(ran, { code: 0, stderr: '' });
  t.equal(statSync(join(folder, 'id')).mode & 0o777, 0o600);
  t.equal(file('role'), 'mine');
  t.equal(await login('vaultferry', file('id')), 200);
  t.match(calls(), /--request\nPOST\n/);
  for (const text of [calls(), ran.stdout]) {
    t.notOk(text.includes(operator), 'no token');
    t.notOk(text.includes(file('id')), 'no secret id');
  }
});

t.test('a wrapped secret id can be taken out once', async (t) => {
  const ran = await apply([...MOUNTS, '--approle', '--secret-id-file', join(folder, 'wrap'), '--wrap-ttl', '60s']);
  t.match(ran, { code: 0, stderr: '' });
  const wrapping = file('wrap');
  t.notOk(ran.stdout.includes(wrapping));
  const unwrap = () => bao.request('POST', 'sys/wrapping/unwrap', {}, { token: wrapping });
  const { data } = (await unwrap()).body as { data: { secret_id: string } };
  t.equal(await login('vaultferry', data.secret_id), 200);
  t.equal((await unwrap()).status, 400);
});

t.test('an id that is bound to addresses is good from no other, and a role of its own name and path', async (t) => {
  const args = ['--mount', 'kv', '--name', 'west', '--approle', '--approle-path', 'apps/role'];
  const ids = ['--cidr', '192.0.2.0/24', '--cidr', '198.51.100.0/24', '--secret-id-file', join(folder, 'west')];
  const root = { VAULT_TOKEN: bao.rootToken };
  t.match(await apply([...args, ...ids], root), { code: 0, stderr: '' });
  t.not(await login('west', file('west'), 'apps/role'), 200);
  t.match(await demand('GET', 'auth/apps/role/role/west'), {
    data: { token_bound_cidrs: ['192.0.2.0/24', '198.51.100.0/24'], token_policies: ['west'] },
  });
  t.match(
    (await apply([...args, ...ids.slice(0, 4)], root)).stdout,
    /role apps\/role\/west: unchanged\nrole id: [-\da-f]{36}\n$/,
  );
});

t.test('in a namespace, policy and role are written there and serve its mounts', async (t) => {
  await bao.put('kv/two', 'one', { k: 'canary-value' }, 'team-a');
  const args = ['--mount', 'team-a:kv/two', '--approle', '--secret-id-file', join(folder, 'team')];
  const env = { VAULT_NAMESPACE: 'team-a', VAULT_TOKEN: bao.rootToken };
  t.match(await apply(args, env), { code: 0, stderr: '', stdout: /^policy vaultferry: written\n/ });
  t.match(await apply(args.slice(0, 3), env), {
    code: 0,
    stdout: /^policy vaultferry: unchanged\n.* unchanged\nrole id: [-\da-f]{36}\n$/,
  });
  const namespace = 'team-a';
  const role = await demand('GET', 'auth/approle/role/vaultferry/role-id', undefined, { namespace });
  const body = { role_id: (role as { data: { role_id: string } }).data.role_id, secret_id: file('team') };
  const made = await demand('POST', 'auth/approle/login', body, { namespace });
  const { client_token: token } = (made as { auth: { client_token: string } }).auth;
  const source = createVaultSource({
    address: bao.address,
    timeout: 10_000,
    namespace,
    token: { token: new Sensitive(token) },
  });
  t.teardown(() => source.close());
  await source.ping();
  t.match(await source.read({ namespace, mount: 'kv/two', path: 'one' }), { kind: 'present', version: 1 });
});

t.test("the token may come from the CLI's file", async (t) => {
  writeFileSync(join(folder, '.vault-token'), `${operator}\n`);
  t.match(await apply(MOUNTS, { VAULT_TOKEN: '' }), { code: 0, stdout: 'policy vaultferry: unchanged\n', stderr: '' });
});

t.test('refusals are told with the reason, and without the token', async (t) => {
  const token = 's.not-a-token-canary';
  const cases: readonly (readonly [readonly string[], NodeJS.ProcessEnv, RegExp])[] = [
    [[], { VAULT_TOKEN: token }, /policy vaultferry: GET .* answered 403: .*permission denied/],
    [[], { VAULT_TOKEN: `${token} x` }, /a character that no token has/],
    [[], { VAULT_ADDR: 'http://127.0.0.1:1' }, /answered 000: curl: /],
    [
      ['--aws', 'arn:aws:iam::123456789012:role/x'],
      { VAULT_TOKEN: bao.rootToken },
      /the auth method aws\/ is not enabled/,
    ],
    [['--audit-socket', '127.0.0.1:9090'], {}, /OpenBao takes it from its configuration; see .*audit\/openbao.hcl/],
    [['--audit-file', '/elsewhere.log'], {}, /audit device file\/ is there with other options/],
    [['--approle', '--secret-id-file', '/nowhere/id'], {}, /\/nowhere\/id\S* cannot be written/],
  ];
  for (const [args, env, reason] of cases) {
    const ran = await apply([...MOUNTS, ...args], env);
    t.match(ran, { code: 1, stderr: reason });
    t.notOk(`${ran.stdout}${ran.stderr}`.includes(token));
  }
});

t.test('the socket is not made the only audit device', async (t) => {
  const lonely = await startOpenBao({ auditFile: false });
  t.teardown(() => lonely.stop());
  const env = { VAULT_ADDR: lonely.address, VAULT_TOKEN: lonely.rootToken };
  const ran = await apply(['--mount', 'kv', '--audit-socket', '127.0.0.1:9090'], env);
  t.match(ran, { code: 1, stderr: /would be the only audit device/ });
});
