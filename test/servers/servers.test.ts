import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import t, { type Test } from 'tap';
import { startOpenBao } from './openbao.ts';
import { startRoto } from './roto.ts';
import { until } from './until.ts';

interface Entry {
  readonly type: string;
  readonly request: { readonly operation: string; readonly path: string; readonly mount_type?: string };
  readonly response?: { readonly data?: { readonly version?: number } };
}

/** An audit receiver that keeps what it gets. */
async function receiver(t: Test, at: { path: string } | { port: 0; host: string }) {
  let text = '';
  const server = createServer((socket) => {
    socket
      .setEncoding('utf8')
      .on('data', (chunk) => (text += chunk))
      .on('error', () => {});
  }).listen(at);
  server.unref();
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const entries = (): Entry[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Entry);
  return { address: addressOf(server), entries };
}

/** Not below t.testdir(): the path of a unix socket is 104 bytes at most, and the checkout may lie deep. */
async function socketPath(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultferry-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'audit.sock');
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null) throw new Error('not listening');
  return typeof address === 'string' ? address : `${address.address}:${address.port}`;
}

const isWrite =
  (path: string) =>
  ({ type, request }: Entry): boolean =>
    type === 'response' && request.path === path && request.operation === 'create';

t.test('both servers start side by side, within two seconds', async (t) => {
  const started = performance.now();
  const [bao, roto] = await Promise.all([startOpenBao(), startRoto()]);
  const took = Math.round(performance.now() - started);
  t.teardown(() => Promise.all([bao.stop(), roto.stop()]));
  t.comment(`OpenBao and the emulator were up after ${took} ms`);
  t.ok(took < 2_000);
});

t.test('a write reaches the socket audit device over TCP, and the file beside it', async (t) => {
  const audit = await receiver(t, { port: 0, host: '127.0.0.1' });
  const bao = await startOpenBao({ auditSocket: { type: 'tcp', address: audit.address }, dir: t.testdir() });
  t.teardown(() => bao.stop());
  await bao.createKv('hybrid-aws-secrets', 2);
  t.match(await bao.put('hybrid-aws-secrets', 'app/db', { password: 'swordfish' }), { version: 1 });
  const path = 'hybrid-aws-secrets/data/app/db';
  const entry = await until(() => audit.entries().find(isWrite(path)), { what: 'the response line' });
  t.match(entry, { request: { mount_type: 'kv' }, response: { data: { version: 1 } } });
  const file = readFileSync(bao.auditFilePath ?? '', 'utf8');
  t.match(file, path);
  t.notMatch(file, 'swordfish');
});

t.test('a unix socket and log_raw', async (t) => {
  const audit = await receiver(t, { path: await socketPath(t) });
  const options = { auditSocket: { type: 'unix', address: audit.address }, auditFile: false, logRaw: true } as const;
  const bao = await startOpenBao(options);
  t.teardown(() => bao.stop());
  await bao.createKv('kv', 2, 'team-a/one');
  await bao.put('kv', 'a b/é', '{"n":1.0,"password":"swordfish"}', 'team-a/one');
  const entry = await until(() => audit.entries().find(isWrite('kv/data/a b/é')), { what: 'the response line' });
  t.match(JSON.stringify(entry), 'swordfish');
  t.equal(bao.auditFilePath, undefined);
});

t.test('without its audit receiver OpenBao does not start, and the error says why', async (t) => {
  const options = { auditSocket: { type: 'unix', address: await socketPath(t) } } as const;
  await t.rejects(startOpenBao(options), { message: /Is the audit device's receiver listening/ });
});

t.test('a policy binds its token, and refusals are answers', async (t) => {
  const bao = await startOpenBao();
  t.teardown(() => bao.stop());
  await bao.createKv('old', 1);
  await bao.createKv('kv', 2);
  await bao.put('kv', 'app', { a: 1 });
  const token = await bao.tokenFor('path "kv/data/*" { capabilities = ["read"] }');
  const read = await bao.request('GET', 'kv/data/app', undefined, { token });
  t.match(read, { status: 200, body: { data: { data: { a: 1 } } } });
  t.match(await bao.request('POST', 'kv/data/app', { data: {} }, { token }), { status: 403 });
  t.match(await bao.request('GET', 'kv/data/none'), { status: 404 });
  await t.rejects(bao.put('nowhere', 'app', {}), { message: /^OpenBao answered 404 to POST nowhere\/data\/app: / });
});

t.test('raft storage outlives SIGKILL and restart', async (t) => {
  const bao = await startOpenBao({ storage: 'raft', dir: t.testdir() });
  t.teardown(() => bao.stop());
  await bao.createKv('kv', 2);
  await bao.put('kv', 'app', { a: 1 });
  bao.kill('SIGKILL');
  await bao.restart();
  t.match(await bao.request('GET', 'kv/data/app'), { status: 200, body: { data: { data: { a: 1 } } } });
  const forgetful = await startOpenBao();
  t.teardown(() => forgetful.stop());
  await t.rejects(forgetful.restart(), { message: /storage: 'raft'/ });
});

t.test('the emulator has FIFO queues as the worker wants them, and secrets', async (t) => {
  const roto = await startRoto();
  const sqs = new SQSClient(roto.client);
  const secrets = new SecretsManagerClient(roto.client);
  t.teardown(() => {
    sqs.destroy();
    secrets.destroy();
    return roto.stop();
  });
  const { url, deadLetterUrl } = await roto.createQueues({ name: 'vaultferry' });
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }));
  t.match(Attributes, { FifoQueue: 'true', MessageRetentionPeriod: '1209600', VisibilityTimeout: '30' });
  t.match(Attributes, { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' });
  const redrive = JSON.parse(Attributes['RedrivePolicy'] ?? '{}') as Record<string, unknown>;
  t.match(redrive, { deadLetterTargetArn: /vaultferry-dlq\.fifo$/, maxReceiveCount: 100 });
  t.match(deadLetterUrl, /vaultferry-dlq\.fifo$/);
  await secrets.send(new CreateSecretCommand({ Name: 'app/db', SecretString: '{"a":1}' }));
  t.match(await secrets.send(new GetSecretValueCommand({ SecretId: 'app/db' })), { SecretString: '{"a":1}' });
});

t.test("the emulator's state outlives SIGKILL and restart where it has a folder", async (t) => {
  const roto = await startRoto({ dataDir: join(t.testdir(), 'data') });
  t.teardown(() => roto.stop());
  const { url } = await roto.createQueues({ name: 'kept' });
  const message = { QueueUrl: url, MessageBody: 'one', MessageGroupId: 'g', MessageDeduplicationId: 'd' };
  const sqs = new SQSClient({ ...roto.client, region: roto.env.AWS_REGION, endpoint: roto.env.AWS_ENDPOINT_URL });
  t.teardown(() => sqs.destroy());
  await sqs.send(new SendMessageCommand(message));
  roto.kill('SIGKILL');
  await roto.restart();
  t.match(await sqs.send(new ReceiveMessageCommand({ QueueUrl: url })), { Messages: [{ Body: 'one' }] });
});
