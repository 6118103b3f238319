import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { projectRoot } from '../servers/root.ts';
import { until } from '../servers/until.ts';
import { sentMessages } from './recorder.ts';
import { isReady, startWorld } from './world.ts';

const SAMPLES = readFileSync(join(projectRoot(), 'test/fixtures/audit-samples.jsonl'));
const MOUNTS = ['hybrid-aws-secrets', 'team/kv', 'tmpkv', 'tmpkv2'].map((mount) => ({ mount, kvVersion: 2 }));
const TEAM = { mount: 'kv', namespace: 'team-a', kvVersion: 2, as: '{namespace}/{mount}/{path}' };
const AUDIT_TOKEN = 'an-audit-token';
const http = (more: object = {}) => ({ listen: 'http://127.0.0.1:0', tokens: [AUDIT_TOKEN], ...more });

const world = await startWorld({
  routes: [{ mount: 'kv', kvVersion: 2 }, ...MOUNTS, TEAM],
  ferries: { ferry: { config: { ingress: { http: http() } } } },
});
t.teardown(world.end);
const { aws, canaries, equal, ferries, recorder, write } = world;

// A receiver of its own, which OpenBao does not write to: all that it counts came from here.
const quiet = { socket: 'tcp://127.0.0.1:0', http: http({ rateLimit: { max: 3, window: '1m' } }) };
await ferries.start('quiet', { roles: ['ingress'], config: { ingress: quiet } });

/** Connects as an audit device would. */
async function connect(name: string): Promise<net.Socket> {
  const { hostname, port } = new URL(String(ferries.get(name).ready['socket']));
  const socket = net.connect(Number(port), hostname).on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends the chunks, one segment each as far as the kernel lets it, and hangs up. */
async function send(name: string, chunks: readonly Buffer[]): Promise<void> {
  const socket = (await connect(name)).setNoDelay();
  for (const chunk of chunks) {
    if (!socket.write(chunk)) await once(socket, 'drain');
    await new Promise(setImmediate);
  }
  socket.end();
  await once(socket.resume(), 'close');
}

/** The metrics of a process by their whole name. */
async function metrics(name: string): Promise<ReadonlyMap<string, number>> {
  const { body } = await ferries.ask(name, 'admin', '/metrics');
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ [^ ]*$/, ''), Number(line.replace(/^.* /, ''))]));
}

/** What a process made of these chunks, by the result of each line, once it is done with them. */
async function resultsOf(name: string, chunks: readonly Buffer[]): Promise<Record<string, number>> {
  const before = await metrics(name);
  await send(name, chunks);
  const bytes = chunks.reduce((sum, { length }) => sum + length, before.get('vaultferry_audit_bytes_total') ?? 0);
  const after = await until(
    async () => {
      const now = await metrics(name);
      return now.get('vaultferry_audit_bytes_total') === bytes && now.get('vaultferry_dirty_refs') === 0 && now;
    },
    { what: `${name} to have read ${bytes} bytes`, deadline: 20_000 },
  );
  const counted = [...after].filter(([key]) => /audit_lines_total|changes_total/.test(key));
  return Object.fromEntries(
    counted.map(([key, count]) => [key, count - (before.get(key) ?? 0)] as const).filter(([, count]) => count > 0),
  );
}

/** Cuts at random, single bytes among them. */
function cut(bytes: Buffer, longest: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + Math.floor(Math.random() * longest);
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

interface Body {
  readonly kind: string;
  readonly reason?: string;
  readonly namespace: string;
  readonly mount: string;
  readonly path: string;
}

const bodiesSince = (calls: number): Body[] =>
  sentMessages(recorder.calls.slice(calls)).map(({ body }) => JSON.parse(body) as Body);
const refsSince = (calls: number): string[] => {
  const changes = bodiesSince(calls).filter(({ kind, path }) => kind === 'change' && path !== undefined);
  return [...new Set(changes.map(({ namespace, mount, path }) => `${namespace}:${mount}/${path}`))].toSorted();
};
const WRITES = [
  'CreateSecret',
  'PutSecretValue',
  'UpdateSecretVersionStage',
  'TagResource',
  'UntagResource',
  'RestoreSecret',
  'DeleteSecret',
];
const writes = () => recorder.calls.filter(({ operation }) => WRITES.includes(operation)).length;

t.test("a connection's first valid line asks for a sweep, anything before it does not", async (t) => {
  const calls = recorder.calls.length;
  const connected = () =>
    ferries
      .get('quiet')
      .logs()
      .filter(({ event }) => event === 'audit.connected').length;
  await resultsOf('quiet', [Buffer.from('garbage\n{}\n{"type":"response"}\n')]);
  t.equal(connected(), 0);
  await send('quiet', [line({ type: 'request', request: { operation: 'read', path: 'sys/health' } })]);
  const asked = () => bodiesSince(calls).filter(({ kind, reason }) => kind === 'sweep' && reason === 'connection');
  await until(() => asked().length > 0, { what: 'the request for a sweep' });
  t.equal(connected(), 1);
  t.match(asked(), [{ origin: 'gap' }]);
});

t.test('recorded lines mean the same in every chunking, and cause only looks', async (t) => {
  const before = writes();
  const calls = recorder.calls.length;
  const whole = await resultsOf('quiet', [SAMPLES]);
  const refs = refsSince(calls);
  t.equal(
    SAMPLES.toString().trimEnd().split('\n').length,
    Object.entries(whole).reduce((sum, [key, count]) => sum + (key.includes('lines_total') ? count : 0), 0),
  );
  t.ok(refs.includes(':hybrid-aws-secrets/first-secret-for-aws') && refs.some((ref) => ref.startsWith('team-a:kv/')));
  for (const longest of [40, 700, 5_000, 70_000]) {
    const since = recorder.calls.length;
    t.strictSame(await resultsOf('quiet', cut(SAMPLES, longest)), whole, `chunks of up to ${longest} bytes`);
    t.strictSame(refsSince(since), refs);
  }
  await until(
    () => recorder.calls.some(({ request }) => request['SecretId'] === 'hybrid-aws-secrets/first-secret-for-aws'),
    { what: 'a look' },
  );
  await write('after-samples');
  await equal(['after-samples']);
  t.strictSame(
    (await aws.names()).filter((name) => !name.startsWith('kv/')),
    [],
  );
  t.equal(writes(), before + 1);
});

interface Forged {
  readonly version?: number;
  readonly created?: string;
  readonly time?: string;
  readonly mount?: string;
  readonly operation?: string;
}

/** A line as OpenBao writes it after a KV v2 write. */
function entry(
  path: string,
  { version = 1, created = '2026-11-24T22:03:14.5Z', time, mount = 'kv', operation = 'update' }: Forged = {},
) {
  return {
    time: time ?? created,
    type: 'response',
    request: {
      id: `forged-${Math.random()}`,
      operation,
      namespace: { id: 'root' },
      mount_point: `${mount}/`,
      mount_type: 'kv',
      path: `${mount}/data/${path}`,
      data: { data: { password: 'hmac-sha256:00' } },
    },
    response: { mount_type: 'kv', data: { version, created_time: created } },
  };
}
const FUTURE = '2199-01-01T00:00:00.123456789Z';

t.test('forged lines cause looks, and nothing else', async (t) => {
  await write('target');
  await equal(['target']);
  const before = await aws.copy('kv/target');
  const names = await aws.names();
  const calls = recorder.calls.length;
  await send('ferry', [
    line(entry('does-not-exist')),
    line(entry('target', { operation: 'delete' })),
    line(entry('not/there', { version: 1_000_000, created: FUTURE })),
    line(entry('x', { mount: 'not-routed' })),
    line(entry('../../sys/raw')),
    line(entry('line\nbreak')),
  ]);
  const looked = (name: string) => recorder.calls.slice(calls).some(({ request }) => request['SecretId'] === name);
  await until(() => looked('kv/does-not-exist') && looked('kv/not/there') && looked('kv/target'), {
    what: 'the looks',
  });
  t.equal((await ferries.ask('ferry', 'admin', '/healthz')).status, 200);
  t.strictSame(await aws.copy('kv/target'), before);
  t.strictSame(await aws.names(), names);
});

t.test('a line that tells of a future version holds up no real write for long', async () => {
  await write('hinted');
  await equal(['hinted']);
  await send('ferry', [line(entry('hinted', { version: 9, created: FUTURE, time: FUTURE }))]);
  await write('hinted');
  await equal(['hinted'], 30_000);
});

t.test('garbage, broken JSON, endless and over-long lines leave it at work, in bounded memory', async (t) => {
  const before = (await metrics('quiet')).get('process_resident_memory_bytes') ?? 0;
  const calls = recorder.calls.length;
  const megabyte = Buffer.alloc(1 << 20, 'x');
  const opening = Buffer.from('{"type":"response","request":{"mount_type":"kv","path":"kv/data/');
  const endless = Array.from({ length: 64 }, () => megabyte);
  const longPath = entry(`${'p'.repeat(1_000_000)}`);
  const garbage = Buffer.from(Array.from({ length: 200_000 }, () => Math.floor(Math.random() * 256)));
  await send('quiet', [garbage, Buffer.from('\n{"type":"response","request":{"path":"kv/data/a"\n}{\n[]\nnull\n')]);
  await send('quiet', [opening, ...endless]);
  const results = await resultsOf('quiet', [
    Buffer.from('\n\n \n"kv/data/x"\n'),
    opening,
    megabyte,
    megabyte,
    Buffer.from('\n'),
    ...Array.from({ length: 20 }, () => line(longPath)),
    line(entry('after-garbage')),
    Buffer.from(JSON.stringify(entry('without-its-newline'))),
  ]);
  t.match(results, { 'vaultferry_audit_lines_total{result="skipped"}': 1 });
  t.strictSame(
    refsSince(calls).filter((ref) => ref.includes('garbage') || ref.includes('newline') || ref.length > 999),
    [':kv/after-garbage'],
  );
  const after = (await metrics('quiet')).get('process_resident_memory_bytes') ?? 0;
  t.ok(after - before < 200 * 1024 * 1024, 'memory does not grow with what is sent');
});

t.test('many connections that say nothing keep nobody out', async (t) => {
  const idle = await Promise.all(Array.from({ length: 100 }, () => connect('ferry')));
  t.teardown(() => {
    for (const socket of idle) socket.destroy();
  });
  idle[0]?.write('{"type":"respon');
  await write('beside-idle-ones');
  await equal(['beside-idle-ones']);
});

const post = (body: string | Buffer, { name = 'ferry', token = AUDIT_TOKEN, query = '', headers = {} } = {}) =>
  ferries.ask(name, 'http', `/v1/audit${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
  });

/** Announces a body of so many bytes, and gives the answer: it comes before the body does. */
async function announce(length: number): Promise<string> {
  const { hostname, port } = new URL(String(ferries.get('ferry').ready['http']));
  const socket = net.connect(Number(port), hostname);
  const authorization = `Bearer ${AUDIT_TOKEN}`;
  const headers = { host: hostname, authorization, 'content-type': 'application/json', 'content-length': length };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write(['POST /v1/audit HTTP/1.1', ...lines, 'connection: close', '', ''].join('\r\n'));
  return text(socket);
}

/** Deletes a copy by hand: only a posted entry can bring it back. */
async function lost(path: string): Promise<void> {
  await write(path);
  await equal([path]);
  await aws.secrets.send(new DeleteSecretCommand({ SecretId: `kv/${path}`, ForceDeleteWithoutRecovery: true }));
}

t.test('the webhook takes an entry, lines and a list, and answers once they are on the queue', async (t) => {
  const paths = ['hook/one', 'hook/two', 'hook/three', 'hook/four', 'hook/five', 'hook/six'];
  for (const path of paths) await lost(path);
  const [one, two, three, four, five, six] = paths.map((path) => JSON.stringify(entry(path)));
  const posted = async (body: string | Buffer, refs: readonly string[], more = {}) => {
    const calls = recorder.calls.length;
    t.match(await post(body, more), { status: 204, body: '' });
    const queued = refsSince(calls);
    t.ok(
      refs.every((ref) => queued.includes(`:kv/${ref}`)),
      'they are on the queue by then',
    );
  };
  await posted(one ?? '', ['hook/one']);
  await posted(`${two}\n${three}\n`, ['hook/two', 'hook/three'], {
    headers: { 'content-type': 'application/x-ndjson' },
  });
  await posted(`[${four},${five}]`, ['hook/four', 'hook/five']);
  await posted(gzipSync(six ?? ''), ['hook/six'], { headers: { 'content-encoding': 'gzip' } });
  await equal(paths);
});

t.test('it does not wait for the queue where the sender must not', async (t) => {
  await lost('hook/received');
  t.match(await post(JSON.stringify(entry('hook/received')), { query: '?ack=received' }), { status: 204 });
  await equal(['hook/received']);
});

t.test('it refuses what is not allowed, not audit or too much', async (t) => {
  const secret = canaries.next();
  const body = JSON.stringify(entry('hook/refused', { operation: secret }));
  const error = (code: number) => new RegExp(`"code":${code},"message":"`);
  t.match(await post(body, { token: 'wrong' }), { status: 401, body: error(401) });
  t.match(await post(body, { headers: { authorization: '' } }), { status: 401, body: error(401) });
  t.match(await post(`{"password":"${secret}"}`), { status: 400, body: error(400) });
  t.match(await post(`{"password":"${secret}`), { status: 400, body: error(400) });
  t.match(await post(secret, { headers: { 'content-encoding': 'gzip' } }), { status: 400, body: error(400) });
  t.match(await announce(9 << 20), /^HTTP\/1.1 413 .*\r\n\r\n\{.*"message":/s);
  const refused = [];
  for (let tries = 1; tries <= 4; tries += 1) refused.push((await post(body, { name: 'quiet' })).status);
  t.strictSame(refused, [204, 204, 204, 429]);
});

t.test('all is well afterwards, and no value stands where it should not', async (t) => {
  await isReady(world, 'ferry');
  await write('last');
  await equal(['last', 'target', 'hinted']);
  t.strictSame(await world.leaks(), []);
});
