import t, { type Test } from 'tap';
import { systemClock } from '../../src/clock.ts';
import { doctorCommand } from '../../src/commands/doctor.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { awsError, startAwsStandIn } from '../aws/stand-in.ts';
import { recordingLog } from '../fakes/log.ts';
import { denied, lookupBody, mountBody, noSuchSecret, startVaultHttp } from '../fakes/vault-http.ts';

const [vault, aws] = await Promise.all([startVaultHttp(), startAwsStandIn()]);
t.teardown(() => Promise.all([vault.close(), aws.close()]));

const OWN = 'vaultferry-own-token';
const OPERATOR = 'operator-token';
const BEARER = 'a-bearer-token';
const ENV = { AWS_ENDPOINT_URL: aws.endpoint, VAULT_TOKEN: OPERATOR };
const before = { ...process.env };
t.teardown(() => {
  for (const name of Object.keys(AWS)) delete process.env[name];
  Object.assign(process.env, before);
});
const AWS = {
  AWS_ENDPOINT_URL: aws.endpoint,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};
Object.assign(process.env, AWS);

const queue = { url: `${aws.endpoint}/1/q.fifo`, deadLetterUrl: `${aws.endpoint}/1/dlq.fifo` };
const ingress = { socket: false, http: { listen: 'http://127.0.0.1:8080', tokens: [BEARER] } };
const auth: Readonly<Record<string, unknown>> = { method: 'token', token: OWN };
const base = { vault: { address: vault.address, auth }, ingress, queue, routes: [{ mount: 'kv' }] };

/** Runs it, once for people and once for scripts; the tokens must be in neither. */
async function doctor(t: Test, { over = {}, env = {} }: { over?: object; env?: NodeJS.ProcessEnv } = {}) {
  const config = parseConfig(JSON.stringify({ ...base, ...over }), {});
  const run = async (json: boolean, terminal: boolean) => {
    const written: string[] = [];
    const visit = { config, env: { ...ENV, ...env }, clock: systemClock, log: recordingLog().log, json, terminal };
    const code = await doctorCommand({ ...visit, write: (text) => written.push(text) });
    return { code, text: written.join('') };
  };
  const [people, scripts] = [await run(false, true), await run(true, false)];
  for (const secret of [OWN, OPERATOR, BEARER])
    t.notOk((people.text + scripts.text).includes(secret), 'no token is told');
  t.equal(people.code, scripts.code);
  const checks: readonly Finding[] = JSON.parse(scripts.text).checks;
  return { ...people, checks, of: (name: string) => checks.find(({ check }) => check === name) };
}

const tell = (path: string, body: unknown) => vault.on(path, { body: JSON.stringify(body) });
const seconds = () => Math.floor(Date.now() / 1000);
const device = (uri: string) => ({
  type: 'http',
  options: { uri, headers: JSON.stringify({ Authorization: [`Bearer ${BEARER}`] }) },
});
const FILE = { type: 'file', options: { file_path: '/a' } };

t.beforeEach(() => {
  tell('/sys/health', { initialized: true, sealed: false, version: '1.21.0', server_time_utc: seconds() });
  vault.on('/auth/token/lookup-self', {
    body: lookupBody({ id: OWN, expire_time: '2030-01-01T00:00:00Z', ttl: 3600, period: 3600, renewable: true }),
  });
  vault.on('/sys/internal/ui/mounts/kv', { body: mountBody('kv') });
  vault.on('/kv/metadata/?list=true', noSuchSecret);
  tell('/sys/audit', { data: { 'file/': FILE, 'web/': device('http://127.0.0.1:8080/v1/audit?ack=received') } });
  aws.answer({ body: { Attributes: { FifoQueue: 'true', QueueArn: 'arn:q' }, SecretList: [] } });
});

t.test('Vault and its audit devices in order', async (t) => {
  const { of, text } = await doctor(t);
  for (const name of ['server', 'token', 'mount kv', 'push', 'second device', 'log_raw', 'ack', 'Vault']) {
    t.match(of(name), { state: 'ok' }, name);
  }
  t.match(of('collisions'), { state: 'ok', found: /secrets: 0/ });
  t.ok(text.startsWith('\u001b[1mVault\u001b[0m\n'), 'colours for a terminal');
  t.notOk((await doctor(t, { env: { NO_COLOR: '1' } })).text.includes('\u001b'));
  t.ok((await doctor(t, { env: { NO_COLOR: '' } })).text.includes('\u001b'), 'an empty variable is none');
});

t.test('the operator sees the audit devices, and VaultFerry itself does not', async (t) => {
  await doctor(t);
  const asked = vault.requests
    .filter(({ path }) => path === '/sys/audit')
    .map(({ headers }) => headers['x-vault-token']);
  t.ok(asked.length > 0 && asked.every((token) => token === OPERATOR));
  const others = vault.requests
    .filter(({ path }) => path !== '/sys/audit')
    .map(({ headers }) => headers['x-vault-token']);
  t.notOk(others.includes(OPERATOR), 'the operator is asked for nothing else');
  const unset = await doctor(t, { env: { VAULT_TOKEN: '' } });
  t.match(unset.of('devices'), { state: 'not_checked', mend: /VAULT_TOKEN=/ });
  vault.on('/sys/audit', denied);
  t.match((await doctor(t)).of('devices'), { state: 'not_checked', mend: /path "sys\/audit"/ });
  const same = await doctor(t, { env: { VAULT_TOKEN: OWN } });
  t.match(same.of('devices'), { state: 'not_checked', mend: /another variable/ });
  vault.on('/sys/audit', { status: 500, body: '{}' });
  t.match((await doctor(t)).of('devices'), { state: 'not_checked', found: /500/ });
  t.match((await doctor(t, { over: { ingress: false } })).of('devices'), { state: 'ok' });
});

t.test("OpenBao's http device that waits for SQS", async (t) => {
  tell('/sys/audit', { data: { 'file/': FILE, 'web/': device('http://127.0.0.1:8080/v1/audit') } });
  t.match((await doctor(t)).of('ack'), { state: 'warning', mend: /ack=received/ });
});

t.test('clocks that are off', async (t) => {
  tell('/sys/health', { initialized: true, sealed: false, version: '1.21.0', server_time_utc: seconds() - 600 });
  aws.answer({ date: new Date(Date.now() + 120_000).toUTCString() });
  const warned = await doctor(t);
  t.match(warned.of('Vault'), { state: 'failure', found: /ahead/ });
  t.match(warned.of('SQS'), { state: 'warning', found: /behind/ });
  t.equal(warned.code, 3);
  aws.answer({ ...awsError('InvalidSignatureException', 'too old', 403), date: new Date(0).toUTCString() });
  const refused = await doctor(t);
  t.match(refused.of('SQS'), { state: 'failure' });
  t.match(
    refused.of('Secrets Manager (default)'),
    { state: 'failure', found: /ahead/ },
    'a refusal tells the time, too',
  );
  aws.answer({ date: false });
  t.match((await doctor(t)).of('SQS'), { state: 'not_checked' });
});

t.test('AWS refuses everything', async (t) => {
  aws.answer(awsError('AccessDeniedException', `not ${OWN}`));
  const { of, code } = await doctor(t);
  t.equal(code, 3);
  for (const name of ['queue', 'dead letters', 'DeleteMessage', 'ListSecrets', 'DescribeSecret']) {
    t.match(of(name), { state: 'failure' }, name);
  }
  t.match(of('PutSecretValue'), { state: 'not_checked' });
  t.ok(!aws.operations.includes('CreateSecret') && !aws.operations.includes('SendMessage'), 'nothing is made');
  t.notOk(aws.operations.includes('PutSecretValue'), 'no write without proof that the name is free');
});

t.test('what stands in the way of everything else', async (t) => {
  vault.on('/auth/token/lookup-self', denied);
  vault.on('/sys/internal/ui/mounts/kv', denied);
  const dead = await doctor(t);
  t.match(dead.of('token'), { state: 'failure', mend: /vault\.auth\.token/ });
  t.match(dead.of('policy'), { state: 'not_checked' });
  t.match(dead.of('collisions'), { state: 'not_checked' });
  const file = { vault: { ...base.vault, auth: { method: 'token', tokenFile: '/no/such/token' } } };
  t.match((await doctor(t, { over: file })).of('token'), { state: 'failure', mend: /tokenFile/ });
  tell('/sys/health', { initialized: true, sealed: true, version: '1.21.0' });
  const sealed = await doctor(t);
  t.match(sealed.of('server'), { state: 'failure', mend: /unseal/ });
  t.match(sealed.of('token'), { state: 'not_checked', found: /sealed/ });
  t.match(sealed.of('Vault'), { state: 'not_checked' });
  vault.on('/sys/health', { act: 'reset' });
  const gone = await doctor(t);
  t.match(gone.of('server'), { state: 'failure' });
  for (const name of ['token', 'policy', 'devices', 'collisions'])
    t.match(gone.of(name), { state: 'not_checked' }, name);
});

t.test('a token that is cut off in the middle of the visit', async (t) => {
  vault.on('/auth/token/lookup-self', { act: 'reset' });
  t.match((await doctor(t)).of('token'), { state: 'not_checked', found: /no answer/ });
});

t.test('an ingress alone', async (t) => {
  const alone = { vault: {}, routes: [{ mount: 'kv', kvVersion: 2 }] };
  const { of } = await doctor(t, { over: alone });
  for (const name of ['server', 'token', 'policy', 'devices', 'collisions', 'Vault']) {
    t.match(of(name), { state: 'not_checked' }, name);
  }
  t.match((await doctor(t, { over: { ...alone, ingress: false } })).of('devices'), { state: 'ok' });
});

t.test('destinations without a place, or without a route', async (t) => {
  const destinations = { default: {}, idle: { region: 'eu-west-1' } };
  const { of } = await doctor(t, { over: { destinations } });
  t.match(of('destination default'), { state: 'ok', found: 'us-east-1' });
  t.match(of('destination idle'), { state: 'warning' });
  const twins = {
    over: { destinations: { default: {}, twin: {} }, routes: [{ mount: 'kv', to: ['default', 'twin'] }] },
  };
  t.match((await doctor(t, twins)).of('destination twin'), { state: 'failure', found: /same place as default/ });
});
