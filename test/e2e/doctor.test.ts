import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import t, { type Test } from 'tap';
import type { Diagnosis } from '../../src/doctor/finding.ts';
import { baseEnv } from '../servers/child.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { startOpenBao } from '../servers/openbao.ts';
import { projectRoot } from '../servers/root.ts';
import { startRoto } from '../servers/roto.ts';
import { createCanaries } from './canaries.ts';

const canaries = createCanaries();
const receiver = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
await once(receiver, 'listening');
const socket = `127.0.0.1:${(receiver.address() as AddressInfo).port}`;

const roto = await startRoto();
const [queues, proxy, bao] = await Promise.all([
  roto.createQueues({ name: 'doctor' }),
  startFaultProxy(roto.endpoint),
  startOpenBao({ auditSocket: { type: 'tcp', address: socket } }),
]);
const secrets = new SecretsManagerClient(roto.client);
const sqs = new SQSClient(roto.client);
t.teardown(async () => {
  secrets.destroy();
  sqs.destroy();
  receiver.close();
  await Promise.all([bao.stop(), roto.end(), proxy.close()]);
});

for (const mount of ['kv', 'other']) await bao.createKv(mount, 2);
for (const path of ['app/db', 'app/api']) await bao.put('kv', path, { password: canaries.next() });

interface Visit {
  /** VaultFerry's own token. */
  readonly own: string;
  /** $VAULT_TOKEN. */
  readonly operator?: string;
  /** Laid over the configuration. */
  readonly over?: object;
  readonly env?: NodeJS.ProcessEnv;
}

async function run(args: readonly string[], { own, operator = '', over = {}, env = {} }: Visit) {
  const base = {
    vault: { address: bao.address, auth: { method: 'token', token: '$' + '{OWN}' } },
    ingress: { socket: `tcp://${socket}` },
    queue: queues,
    routes: [{ mount: 'kv' }],
  };
  const config = JSON.stringify({ ...base, ...over }, null, 1);
  const child = spawn(process.execPath, [join(projectRoot(), 'build/src/cli.js'), ...args], {
    env: { ...baseEnv(), ...roto.env, OWN: own, VAULT_TOKEN: operator, VAULTFERRY_CONFIG: config, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const ended = once(child, 'exit');
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** A visit's findings. What is printed holds neither value nor token, whatever was found. */
async function doctor(t: Test, visit: Visit) {
  const { code, stdout, stderr } = await run(['doctor', '--json'], visit);
  t.equal(stderr, '');
  t.strictSame(canaries.spellingsIn(stdout), [], 'no value is told');
  for (const token of [visit.own, bao.rootToken]) t.notOk(stdout.includes(token), 'no token is told');
  const { checks, summary } = JSON.parse(stdout);
  const findings: readonly Diagnosis[] = checks;
  t.equal(code, summary.failures > 0 ? 3 : 0);
  const wrong = findings.filter(({ state }) => state === 'failure' || state === 'warning');
  return {
    findings,
    of: (name: string) => findings.filter(({ check }) => check === name),
    wrong: wrong.map(({ state, check }) => `${state} ${check}`),
  };
}

/** Side by side: most of a visit's time is spent on loading. */
const each = <T>(cases: readonly T[], check: (one: T) => Promise<unknown>) => Promise.all(cases.map(check));

/** A token of exactly this policy, without the default one; renewable for ever unless told. */
async function tokenOf(policy: string, options: object = { period: '24h' }): Promise<string> {
  const name = `policy-${Math.random().toString(36).slice(2)}`;
  await bao.request('PUT', `sys/policies/acl/${name}`, { policy });
  const body = { policies: [name], no_default_policy: true, no_parent: true, ...options };
  const { body: made } = await bao.request('POST', 'auth/token/create', body);
  return (made as { auth: { client_token: string } }).auth.client_token;
}

const policy = (await run(['policy', 'openbao'], { own: 'none' })).stdout;
const own = await tokenOf(policy);
const operator = bao.rootToken;
/** The emulator encrypts nothing. */
const UNENCRYPTED = ['warning attributes', 'warning attributes'];

t.test('a chain in order: with the least policy, and an operator who looks', async (t) => {
  const { wrong, findings, of } = await doctor(t, { own, operator });
  t.strictSame(wrong, UNENCRYPTED);
  const unchecked = findings.filter(({ state }) => state === 'not_checked').map(({ check }) => check);
  t.strictSame(unchecked, ['SendMessage, ReceiveMessage', 'CreateSecret']);
  for (const name of ['push', 'second device', 'log_raw', 'write_timeout', 'all of kv at once', 'Vault', 'SQS']) {
    t.match(of(name), [{ state: 'ok' }], name);
  }
  t.match(of('collisions'), [{ found: /secrets: 2/ }]);
  const { code, stdout } = await run(['doctor'], { own, operator });
  t.equal(code, 0);
  t.match(stdout, /^Vault\n {2}ok {11}server {2,}OpenBao /);
  t.match(stdout, /0 failures, 2 not checked\n$/);
});

t.test('it leaves nothing behind', async (t) => {
  t.strictSame((await secrets.send(new ListSecretsCommand({}))).SecretList, []);
  const asked = { QueueUrl: queues.url, AttributeNames: ['All'] as const };
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ ...asked, AttributeNames: [...asked.AttributeNames] }),
  );
  t.match(Attributes, { ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
});

t.test('the audit devices are for operators', async (t) => {
  t.match((await doctor(t, { own })).of('devices'), [{ state: 'not_checked', mend: /VAULT_TOKEN/ }]);
  const least = await tokenOf('path "sys/audit" { capabilities = ["read", "sudo"] }');
  t.match((await doctor(t, { own, operator: least })).of('push'), [{ state: 'ok' }]);
  t.match((await doctor(t, { own, operator: own })).of('devices'), [{ state: 'not_checked' }]);
});

t.test('a policy that lacks a line', async (t) => {
  const cases: readonly (readonly [string, RegExp, string[], string])[] = [
    ['read', /path "kv\/data\/\*" \{[^}]*\}/, ['failure values of kv'], 'path "kv/data/*" { capabilities = ["read"] }'],
    [
      'metadata',
      /path "kv\/metadata\/\*" \{[^}]*"list"\]\n\}/,
      ['failure names of kv', 'warning versions of kv'],
      'path "kv/metadata/*" { capabilities = ["list"] }',
    ],
    ['scan', /path "kv\/metadata\/\*" \{[^}]*"scan"\]\n\}/, ['warning all of kv at once'], 'vaultferry policy openbao'],
    ['lookup-self', /path "auth\/token\/lookup-self" \{[^}]*\}/, ['warning token'], 'auth/token/lookup-self'],
  ];
  await each(cases, async ([what, line, expected, mend]) => {
    t.match(policy, line, what);
    const commented = policy.replace(line, (block) => block.replace(/^/gm, '# '));
    const { wrong, findings } = await doctor(t, { own: await tokenOf(commented) });
    t.strictSame(
      wrong.filter((one) => !UNENCRYPTED.includes(one)),
      expected,
      what,
    );
    t.ok(
      findings.some((one) => one.mend?.includes(mend)),
      mend,
    );
  });
});

t.test('a token near its end, and one that is dead', async (t) => {
  const ending = await tokenOf(policy, { ttl: '1h', renewable: false });
  t.match((await doctor(t, { own: ending })).of('token'), [
    { state: 'warning', found: /cannot be renewed, (59|60) min/ },
  ]);
  const limited = await tokenOf(policy, { ttl: '2h', explicit_max_ttl: '2h' });
  t.match((await doctor(t, { own: limited })).of('token'), [{ state: 'warning', found: /then ends for good/ }]);
  const { of } = await doctor(t, { own: 'never-issued' });
  t.match(of('token'), [{ state: 'failure' }]);
  t.match(of('policy'), [{ state: 'not_checked' }]);
  t.match((await doctor(t, { own: bao.rootToken })).of('least privilege'), [{ state: 'warning' }]);
});

t.test('a token that comes of a login', async (t) => {
  await bao.request('PUT', 'sys/policies/acl/ferry', { policy });
  await bao.request('POST', 'sys/auth/approle', { type: 'approle' });
  const role = { token_policies: ['ferry'], token_ttl: '10m', token_no_default_policy: true };
  await bao.request('POST', 'auth/approle/role/ferry', role);
  const { body: named } = await bao.request('GET', 'auth/approle/role/ferry/role-id');
  const { body: made } = await bao.request('POST', 'auth/approle/role/ferry/secret-id');
  const { role_id: roleId } = (named as { data: { role_id: string } }).data;
  const { secret_id: own } = (made as { data: { secret_id: string } }).data;
  const login = (secretId: string) => ({
    vault: { address: bao.address, auth: { method: 'approle', roleId, secretId } },
  });
  const { of, wrong } = await doctor(t, { own, over: login('$' + '{OWN}') });
  t.match(of('token'), [{ state: 'ok', found: /of a login/ }]);
  t.strictSame(wrong, UNENCRYPTED);
  const refused = await doctor(t, { own, over: login('another') });
  t.match(refused.of('token'), [{ state: 'failure', mend: /vault\.auth/ }]);
});

t.test('a mount that is not there, and one of another version', async (t) => {
  await bao.createKv('old', 1);
  const over = { routes: [{ mount: 'gone' }, { mount: 'old', kvVersion: 2 }] };
  const { of } = await doctor(t, {
    own: await tokenOf(`${policy}\npath "old/*" { capabilities = ["read", "list"] }`),
    over,
  });
  t.match(of('mount gone'), [{ state: 'failure', mend: /secrets enable -path=gone/ }]);
  t.match(of('mount old'), [{ state: 'failure', mend: /kvVersion: 1/ }]);
});

t.test('the only audit device, with values in plain text', async (t) => {
  const raw = await startOpenBao({ auditSocket: { type: 'tcp', address: socket }, auditFile: false, logRaw: true });
  t.teardown(() => raw.stop());
  const over = { vault: { address: raw.address, auth: { method: 'token', token: '$' + '{OWN}' } } };
  const { of, wrong } = await doctor(t, { own: raw.rootToken, operator: raw.rootToken, over });
  t.match(of('second device'), [{ state: 'failure', mend: /audit "file"/ }]);
  t.match(of('log_raw'), [{ state: 'failure' }]);
  t.ok(wrong.includes('failure mount kv'));
  const elsewhere = { ...over, ingress: { socket: 'tcp://127.0.0.1:9' } };
  const moved = await doctor(t, { own: raw.rootToken, operator: raw.rootToken, over: elsewhere });
  t.match(moved.of('push'), [{ state: 'warning', mend: /address = "127\.0\.0\.1:9"/ }]);
});

t.test('queues that are not as they should be', async (t) => {
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true', ...Attributes } }))).QueueUrl;
  const unwired = await create('unwired.fifo', { MessageRetentionPeriod: '345600', VisibilityTimeout: '60' });
  const { findings } = await doctor(t, { own, over: { queue: { url: unwired, deadLetterUrl: queues.deadLetterUrl } } });
  const said = findings.map(({ state, found, mend }) => `${state} ${found} -> ${mend}`).join('\n');
  t.match(said, /failure .*no RedrivePolicy to queue\.deadLetterUrl/);
  t.match(said, /warning .*less than 14 days -> aws sqs set-queue-attributes .*MessageRetentionPeriod=1209600/);
  t.match(said, /warning .*VisibilityTimeout differs/);
  const missing = queues.url.replace('doctor.fifo', 'missing.fifo');
  const gone = await doctor(t, { own, over: { queue: { ...queues, url: missing } } });
  t.match(gone.of('queue'), [{ state: 'failure', mend: /create the queue/ }]);
});

t.test('what AWS refuses', async (t) => {
  const env = { AWS_ENDPOINT_URL: proxy.endpoint };
  const refuse = (...operations: readonly string[]) => {
    proxy.fault = (operation) => (operations.includes(operation) ? { error: 'AccessDeniedException' } : undefined);
  };
  refuse('UpdateSecretVersionStage');
  const withoutCopy = await doctor(t, { own, env });
  t.match(
    withoutCopy.of('UpdateSecretVersionStage'),
    [{ state: 'not_checked' }],
    'without a copy, a bound policy says no too',
  );
  const Tags = [{ Key: 'vaultferry:vault', Value: 'vault' }];
  const copy = { SecretId: 'kv/app/db' };
  await secrets.send(new CreateSecretCommand({ Name: copy.SecretId, SecretString: '{}', Tags }));
  const made = await secrets.send(new DescribeSecretCommand(copy));
  t.match((await doctor(t, { own, env })).of('UpdateSecretVersionStage'), [
    { state: 'failure', mend: /secretsmanager:UpdateSecretVersionStage/ },
  ]);
  refuse('ListSecrets', 'DescribeSecret', 'DeleteMessage');
  const { of } = await doctor(t, { own, env });
  for (const name of ['ListSecrets', 'DescribeSecret', 'DeleteMessage'])
    t.match(of(name), [{ state: 'failure' }], name);
  proxy.fault = undefined;
  t.strictSame((await doctor(t, { own, env })).wrong, UNENCRYPTED);
  const over = {
    routes: [{ mount: 'kv' }, { mount: 'old', kvVersion: 1 }],
    destinations: { default: { onDelete: 'schedule' } },
  };
  const more = await doctor(t, { own, env, over });
  for (const name of ['DeleteSecret', 'GetSecretValue']) t.match(more.of(name), [{ state: 'ok' }], name);
  refuse('DeleteSecret', 'GetSecretValue');
  const less = await doctor(t, { own, env, over });
  t.match(less.of('GetSecretValue'), [{ state: 'failure', mend: /allow secretsmanager:GetSecretValue/ }]);
  t.match(less.of('DeleteSecret'), [{ state: 'not_checked', mend: /allow secretsmanager:DeleteSecret/ }]);
  proxy.fault = undefined;
  const { Tags: tags, VersionIdsToStages: stages, DeletedDate } = await secrets.send(new DescribeSecretCommand(copy));
  const before = { tags: made.Tags, stages: made.VersionIdsToStages, DeletedDate: undefined };
  t.strictSame({ tags, stages, DeletedDate }, before, 'the copy is as it was');
});

t.test('secrets that meet in one name', async (t) => {
  await bao.put('other', 'kv/app/db', {});
  await bao.put('kv', 'app/token-a1B2c3', {});
  const routes = [{ mount: 'kv' }, { mount: 'other', as: '{path}' }];
  const both = (await run(['policy', 'openbao'], { own, over: { routes } })).stdout;
  const { of } = await doctor(t, { own: await tokenOf(both), over: { routes } });
  t.match(of('collisions'), [{ state: 'failure', found: /kv\/app\/db and other\/kv\/app\/db as kv\/app\/db/ }]);
  t.match(of('ARN suffix'), [{ state: 'warning', found: /kv\/app\/token-a1B2c3/ }]);
});

t.test('what cannot be understood', async (t) => {
  for (const args of [['doctor', 'now'], ['policy'], ['policy', 'aws'], ['doctor', '--all']]) {
    t.match(await run(args, { own }), { code: 2, stdout: '', stderr: /^vaultferry: / }, args.join(' '));
  }
  for (const command of ['doctor', 'policy']) {
    t.match(await run([command, '--help'], { own }), { code: 0, stdout: new RegExp(`^Usage: vaultferry ${command}`) });
  }
});
