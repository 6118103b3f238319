import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { until } from '../servers/until.ts';
import { sentMessages } from './recorder.ts';
import { REPLICATOR } from './setting.ts';
import { isReady, startWorld } from './world.ts';

const folder = await mkdtemp(join(tmpdir(), 'vaultferry-token-'));
t.teardown(() => rm(folder, { recursive: true }));
const tokenFile = join(folder, 'token');
const FIRST_TOKEN = `first-${Math.random().toString(36).slice(2)}`;
writeFileSync(tokenFile, `${FIRST_TOKEN}\n`);
const ADMIN_TOKEN = 'an-admin-token';
const AUDIT_TOKEN = 'an-audit-token';

const world = await startWorld({
  lasting: true,
  token: FIRST_TOKEN,
  config: {
    vault: { auth: { method: 'token', tokenFile } },
    admin: { token: ADMIN_TOKEN },
    ingress: { http: { listen: 'http://127.0.0.1:0', tokens: [AUDIT_TOKEN] } },
  },
  // Variables that other programs obey: node-vault would print bodies, skip checks and talk to another server.
  ferries: {
    ferry: { env: { DEBUG: '*', VAULT_SKIP_VERIFY: '1', VAULT_ADDR: 'http://127.0.0.1:1', VAULT_NAMESPACE: 'x' } },
  },
});
t.teardown(world.end);
const { aws, bao, copy, equal, ferries, recorder, write } = world;

t.test('exactly one line says ready, with the real ports', async (t) => {
  const ready = ferries
    .get('ferry')
    .logs()
    .filter(({ event }) => event === 'ready');
  t.equal(ready.length, 1);
  for (const door of ['admin', 'socket', 'http']) {
    const { hostname, port } = new URL(String(ready[0]?.[door]));
    t.not(Number(port), 0);
    const socket = net.connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.destroy();
  }
});

t.test('the admin token guards what tells more than health', async (t) => {
  await write('measured');
  await equal(['measured']);
  const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const ask = async (path: string, request?: RequestInit) =>
    (await ferries.ask('ferry', 'admin', path, request)).status;
  t.equal(await ask('/metrics'), 401);
  t.equal(await ask('/metrics', as('wrong')), 401);
  t.equal(await ask('/healthz'), 200);
  t.equal(await ask('/readyz'), 200);
  const { status, body } = await ferries.ask('ferry', 'admin', '/metrics', as(ADMIN_TOKEN));
  t.equal(status, 200);
  t.match(body, /^vaultferry_replications_total\{destination="default",outcome="created"\} \d+$/m);
  t.match(body, /^vaultferry_replication_lag_seconds_count \d+$/m);
});

t.test('readyz names what is lacking, and takes it back', async (t) => {
  await bao.stop();
  const lacking = await until(
    async () => {
      const { status, body } = await ferries.ask('ferry', 'admin', '/readyz');
      return status === 503 && body;
    },
    { what: 'readyz to notice', interval: 100 },
  );
  t.strictSame(JSON.parse(lacking), { status: 'not ready', lacking: ['vault'], oldestDirtySeconds: 0 });
  t.equal((await ferries.ask('ferry', 'admin', '/healthz')).status, 200);
  await bao.restart();
  await isReady(world, 'ferry');
  await write('after-restart');
  await equal(['after-restart'], 45_000);
});

t.test('another token in the file is used from then on', async (t) => {
  const id = `second-${Math.random().toString(36).slice(2)}`;
  const made = await bao.request('POST', 'auth/token/create', { id, policies: [REPLICATOR] });
  t.equal(made.status, 200);
  writeFileSync(tokenFile, id);
  t.equal((await bao.request('POST', 'auth/token/revoke', { token: FIRST_TOKEN })).status, 204);
  await write('after-rotation');
  await equal(['after-rotation'], 45_000);
  await isReady(world, 'ferry');
  t.strictSame(await aws.letters(), []);
});

t.test('all that it prints is JSON lines on stderr, whatever DEBUG says', async (t) => {
  const [stdout, stderr] = ferries.printed('ferry');
  t.equal(stdout, '');
  const lines = (stderr ?? '').trimEnd().split('\n');
  t.ok(lines.every((line) => line.startsWith('{"level":')));
  t.notMatch(stderr, new RegExp(FIRST_TOKEN));
});

t.test('SIGTERM under load: 0 in time, and nothing accepted is lost', async (t) => {
  await write('posted');
  await equal(['posted']);
  const paths = Array.from({ length: 60 }, (_, number) => `load/${number}`);
  const calls = recorder.calls.length;
  await Promise.all(paths.map((path) => write(path)));
  const queued = (path: string) =>
    sentMessages(recorder.calls.slice(calls)).some(({ body }) => body.includes(`"path":"${path}"`));
  await until(() => paths.every(queued), { what: 'all to be on the queue' });
  await aws.secrets.send(new DeleteSecretCommand({ SecretId: 'kv/posted', ForceDeleteWithoutRecovery: true }));
  const answer = await ferries.ask('ferry', 'http', '/v1/audit?ack=received', {
    method: 'POST',
    headers: { authorization: `Bearer ${AUDIT_TOKEN}` },
    body: JSON.stringify({
      time: new Date().toISOString(),
      type: 'response',
      request: { id: 'by-hand', operation: 'update', mount_point: 'kv/', mount_type: 'kv', path: 'kv/data/posted' },
    }),
  });
  t.equal(answer.status, 204);
  const began = performance.now();
  ferries.get('ferry').kill('SIGTERM');
  t.match(await ferries.get('ferry').exited(), { code: 0, signal: null });
  t.ok(performance.now() - began < 20_000);
  t.match(ferries.get('ferry').logs().at(-1), { event: 'stopped' });
  t.ok(queued('posted'));
  // Without an ingress nobody asks for a sweep: what is equal now was on the queue.
  await ferries.start('worker', { roles: ['worker'] });
  await equal([...paths, 'posted'], 45_000);
  t.notOk(sentMessages(recorder.calls.slice(calls)).some(({ body }) => body.includes('"kind":"sweep"')));
});

t.test('nothing was parked, and no value stands where it should not', async (t) => {
  t.strictSame(await aws.letters(), []);
  t.strictSame(await world.leaks(), []);
  t.ok(await copy('kv/posted'));
});
