import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import Fastify, { type InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { bearerTest } from '../../src/bearer.ts';
import type { OnQueued } from '../../src/ingress/dirty.ts';
import type { Read } from '../../src/ingress/entry-reader.ts';
import { webhook } from '../../src/ingress/webhook.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { kvEntry } from '../audit/entries.ts';
import { manualClock } from '../fakes/clock.ts';
import { until } from '../servers/until.ts';

const KV = { namespace: '', mount: 'kv' };
const SEARCH = createMarkerSearch(auditMarkers([KV]));
const entry = (path: string) => kvEntry(KV, 'update', `data/${path}`);
const line = (path: string) => JSON.stringify(entry(path));
const AUTHORIZED = { authorization: 'Bearer second-token' };

interface Settings {
  readonly max?: number;
  /** Messages that an entry asks for. */
  readonly messages?: number;
  /** False: SQS never takes anything. */
  readonly queue?: boolean;
  /** False: SQS is known to be down. */
  readonly reachable?: boolean;
}

const authorized = bearerTest(['first-token', 'second-token', 'third-token'].map((token) => new Sensitive(token)));

/** The webhook over a funnel that takes each entry as so many messages, which are on the queue after a flush. */
function house(t: Test, { max = 1_000, messages = 1, queue = true, reachable = true }: Settings = {}) {
  const clock = manualClock();
  const paths: string[] = [];
  const proved: true[] = [];
  const read: Read[] = [];
  let waiting: OnQueued[] = [];
  const app = Fastify();
  t.teardown(() => app.close());
  app.register(webhook, {
    authorized,
    onAuthorized: () => proved.push(true),
    search: SEARCH,
    maxLineBytes: 100_000,
    onRead: (one) => read.push(one),
    rateLimit: { max, window: 60_000 },
    funnel: {
      accept({ path }, onQueued) {
        paths.push(path);
        if (onQueued !== undefined) for (let message = 0; message < messages; message += 1) waiting.push(onQueued);
        return messages;
      },
    },
    flush() {
      if (!queue) return;
      const told = waiting;
      waiting = [];
      setImmediate(() => {
        for (const tell of told) tell();
      });
    },
    reachable: () => reachable,
    clock,
  });
  const post = (payload: string | Buffer, options: InjectOptions = {}) =>
    app.inject({
      method: 'POST',
      url: '/v1/audit',
      payload,
      ...options,
      headers: { ...AUTHORIZED, ...options.headers },
    });
  return { app, clock, paths, proved, read, post, waiting: () => waiting.length };
}

type Answer = Awaited<ReturnType<ReturnType<typeof house>['post']>>;

/** Every refusal has one shape, and says nothing of what was sent. */
function refused(t: Test, answer: Answer, code: number, message: RegExp) {
  t.equal(answer.statusCode, code);
  t.match(answer.headers['content-type'], /^application\/json/);
  t.strictSame(Object.keys(answer.json()), ['error']);
  t.match(answer.json(), { error: { code, message } });
  t.notMatch(answer.body, /canary|second-token/);
}

t.test('one entry, many lines, an array, each with and without a final newline, packed and not', async (t) => {
  const bodies: Record<string, [string, string[]]> = {
    one: [line('a'), ['kv/data/a']],
    'one, over several lines': [JSON.stringify(entry('a'), null, 2), ['kv/data/a']],
    'one with a prefix': [`prefix: ${line('a')}`, ['kv/data/a']],
    NDJSON: [`${line('a')}\n${line('b')}\n`, ['kv/data/a', 'kv/data/b']],
    'NDJSON with \\r\\n and empty lines': [`\n${line('a')}\r\n\r\n${line('b')}`, ['kv/data/a', 'kv/data/b']],
    array: [JSON.stringify([entry('a'), entry('b'), entry('é')]), ['kv/data/a', 'kv/data/b', 'kv/data/é']],
    'an empty array': ['[]', []],
    nothing: ['', []],
    'white space': [' \n\r\n', []],
  };
  for (const [name, [body, expected]] of Object.entries(bodies)) {
    for (const contentType of ['application/json', 'application/x-ndjson', 'text/plain; charset=utf-8', undefined]) {
      const { post, paths } = house(t);
      const headers = contentType === undefined ? {} : { 'content-type': contentType };
      const plain = await post(body, { headers });
      t.same([plain.statusCode, plain.body], [204, ''], `${name}, ${contentType}`);
      const packed = await post(gzipSync(body), { headers: { ...headers, 'content-encoding': 'gzip' } });
      t.equal(packed.statusCode, 204);
      t.same(paths, [...expected, ...expected]);
    }
  }
});

t.test('malformed entries are named by number and never by content; the others are taken', async (t) => {
  const twelve = '2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more';
  for (const [body, numbers, taken] of [
    [`${line('a')}\ncanary\n\n{"canary":1}\n${line('b')}\n`, '2, 3', ['kv/data/a', 'kv/data/b']],
    [JSON.stringify([entry('a'), 'canary', entry('b'), null]), '2, 4', ['kv/data/a', 'kv/data/b']],
    [`${line('a')}\n${'canary\n'.repeat(12)}`, twelve, ['kv/data/a']],
    ['{"type":"canary"}', '1', []],
    ['"canary"', '1', []],
    [`[${line('a')},canary`, '2', ['kv/data/a']],
  ] as const) {
    const { post, paths, read } = house(t);
    refused(t, await post(body), 400, new RegExp(`number ${numbers}$`));
    t.same(paths, taken);
    t.match(read, [{ bytes: Buffer.byteLength(body) }]);
  }
});

t.test('what is not gzip, and what unpacks to too much, is refused', async (t) => {
  const { post, paths } = house(t);
  const headers = { 'content-encoding': 'gzip' };
  refused(t, await post('canary', { headers }), 400, /not gzip/);
  refused(t, await post(gzipSync(Buffer.alloc(9 * 1024 * 1024, 32)), { headers }), 413, /unpacks/);
  t.same(paths, []);
  refused(t, await post(gzipSync(line('a')).subarray(0, -9), { headers }), 400, /not gzip/);
  for (const coding of ['br', 'deflate', 'gzip, gzip', 'constructor', '__proto__']) {
    const answer = await post(line('canary'), { headers: { 'content-encoding': coding } });
    refused(t, answer, 415, /gzip/);
    t.equal(answer.headers['accept-encoding'], 'gzip');
  }
  t.equal((await post(gzipSync(line('a')), { headers: { 'content-encoding': 'GZIP' } })).statusCode, 204);
});

t.test('an entry over the bound of a line is named by number, and the others are taken', async (t) => {
  const { post, paths } = house(t);
  refused(
    t,
    await post(`${line('a')}\n${line('canary'.repeat(20_000))}\n${line('b')}`),
    413,
    /maxLineBytes: number 2$/,
  );
  t.same(paths, ['kv/data/a', 'kv/data/b']);
});

t.test('a token is needed, any of them, and whole', async (t) => {
  const { app, paths, proved } = house(t);
  const ask = (headers: Record<string, string>, url = '/v1/audit') =>
    app.inject({ method: 'POST', url, payload: line('canary'), headers });
  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    'second-token',
    'Basic second-token',
    'Bearer second-token2',
  ]) {
    refused(t, await ask({ authorization }), 401, /token/);
  }
  refused(t, await ask({}), 401, /token/);
  const answer = await ask({}, '/v1/audit?ack=received');
  refused(t, answer, 401, /token/);
  t.same([paths, proved, answer.headers.connection], [[], [], 'close']);
  for (const token of ['first-token', 'second-token', 'third-token']) {
    t.equal((await ask({ authorization: `Bearer ${token}` })).statusCode, 204);
  }
  t.equal(proved.length, 3);
});

t.test('a body over the bound', async (t) => {
  const { post, paths } = house(t);
  refused(t, await post(`"${'canary'.repeat(1_500_000)}"`), 413, /./);
  t.same(paths, []);
});

t.test('too many requests are told when to come again', async (t) => {
  const { post } = house(t, { max: 2 });
  for (let asked = 0; asked < 2; asked += 1) t.equal((await post(line('a'))).statusCode, 204);
  const answer = await post(line('canary'));
  refused(t, answer, 429, /./);
  t.match(answer.headers['retry-after'], /^[1-9]\d*$/);
});

t.test('other paths and methods', async (t) => {
  const { app } = house(t);
  for (const [method, url] of [
    ['GET', '/v1/audit'],
    ['PUT', '/v1/audit'],
    ['DELETE', '/v1/audit'],
    ['POST', '/v1/audit/'],
    ['POST', '/v1/canary'],
    ['GET', '/'],
  ] as const) {
    refused(t, await app.inject({ method, url, headers: AUTHORIZED }), 404, /POST \/v1\/audit/);
  }
});

t.test('a content type that is none', async (t) => {
  const { post } = house(t);
  const answer = await post(line('a'), { headers: { 'content-type': 'canary' } });
  if (answer.statusCode !== 204) refused(t, answer, 415, /./);
});

t.test('the answer waits for every message of every entry', async (t) => {
  const { post, clock } = house(t, { messages: 3 });
  t.equal((await post(`${line('a')}\n${line('b')}`)).statusCode, 204);
  t.equal(clock.sleepers, 0, 'no timer is left behind');
});

t.test('entries that ask for nothing are answered at once', async (t) => {
  const { post } = house(t, { messages: 0, queue: false });
  t.equal((await post(line('a'))).statusCode, 204);
});

t.test('503 when SQS does not take it within ten seconds, with a word when to come again', async (t) => {
  const { post, clock, paths } = house(t, { queue: false });
  let answered = false;
  const answer = post(line('canary')).then((response) => {
    answered = true;
    return response;
  });
  while (clock.sleepers === 0) await clock.advance(0);
  await clock.advance(9_999);
  t.equal(answered, false);
  await clock.advance(1);
  refused(t, await answer, 503, /SQS/);
  t.equal((await answer).headers['retry-after'], '5');
  t.same(paths, ['kv/data/canary']);
});

t.test('ack=received does not wait for SQS', async (t) => {
  const { post, paths } = house(t, { queue: false });
  t.equal((await post(line('a'), { url: '/v1/audit?ack=received' })).statusCode, 204);
  t.same(paths, ['kv/data/a']);
  refused(t, await post('canary', { url: '/v1/audit?ack=received' }), 400, /number 1$/);
});

t.test('while SQS is down the sender is told at once, and nothing is kept for each of its requests', async (t) => {
  const { post, paths, waiting } = house(t, { queue: false, reachable: false });
  const answer = await post(line('a'));
  refused(t, answer, 503, /SQS/);
  t.equal(answer.headers['retry-after'], '5');
  t.same(paths, ['kv/data/a'], 'the change itself is kept');
  t.equal(waiting(), 0);
});

t.test('while SQS is down a body without any change is answered as ever', async (t) => {
  const { post } = house(t, { messages: 0, queue: false, reachable: false });
  for (const body of ['', '[]', line('a')]) t.equal((await post(body)).statusCode, 204);
  refused(t, await post(`${line('a')}\ncanary`), 400, /number 2$/);
});

t.test('guesses of a token are limited, too', async (t) => {
  const { app } = house(t, { max: 2 });
  const guess = () => app.inject({ method: 'POST', url: '/v1/audit', payload: line('a') });
  refused(t, await guess(), 401, /token/);
  refused(t, await guess(), 401, /token/);
  refused(t, await guess(), 429, /./);
});

t.test('an error of our own is told without its text', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  app.register(webhook, {
    onAuthorized() {},
    authorized,
    search: SEARCH,
    maxLineBytes: 100_000,
    onRead() {},
    rateLimit: { max: 10, window: 1_000 },
    funnel: {
      accept() {
        throw new Error('canary');
      },
    },
    flush() {},
    reachable: () => true,
    clock: manualClock(),
  });
  for (const payload of [line('a'), `${line('a')}\n`, gzipSync(`${line('a')}\n`)]) {
    const headers = { ...AUTHORIZED, ...(Buffer.isBuffer(payload) && { 'content-encoding': 'gzip' }) };
    const answer = await app.inject({ method: 'POST', url: '/v1/audit', payload, headers });
    refused(t, answer, 500, /send the same again/);
  }
});

t.test('over a real connection, in chunks', async (t) => {
  const { app, paths } = house(t);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const body = new ReadableStream({
    start(controller) {
      for (const path of ['a', 'b']) controller.enqueue(new TextEncoder().encode(`${line(path)}\n`));
      controller.close();
    },
  });
  const headers = { ...AUTHORIZED, 'content-type': 'application/x-ndjson' };
  const answer = await fetch(`${address}/v1/audit`, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
  t.equal(answer.status, 204);
  t.same(paths, ['kv/data/a', 'kv/data/b']);
  const denied = await fetch(`${address}/v1/audit`, { method: 'POST', body: line('c') });
  t.equal(denied.status, 401);
  t.match(await denied.json(), { error: { code: 401 } });
});

/** Speaks HTTP byte by byte: sends the head of a request and what `send` sends of its body, and gives the answer. */
async function dial(t: Test, address: string, headers: Record<string, string>): Promise<net.Socket> {
  const { hostname, port } = new URL(address);
  const socket = net.connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  const lines = Object.entries({ host: hostname, ...AUTHORIZED, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(['POST /v1/audit HTTP/1.1', ...lines, '', ''].join('\r\n'));
  await once(socket, 'connect');
  return socket;
}

t.test('entries are taken while the body is still on its way', async (t) => {
  const { app, paths } = house(t);
  const socket = await dial(t, await app.listen({ host: '127.0.0.1', port: 0 }), {
    'transfer-encoding': 'chunked',
    connection: 'close',
  });
  const send = (body: string) => socket.write(`${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`);
  send(`${line('a')}\n${line('b').slice(0, 20)}`);
  await until(() => paths.length === 1, { what: 'the first entry' });
  send(`${line('b').slice(20)}\n`);
  await until(() => paths.length === 2, { what: 'the second entry' });
  socket.write('0\r\n\r\n');
  t.match(await text(socket), /^HTTP\/1\.1 204 /);
});

t.test('a sender that goes in the middle leaves no half entry behind', async (t) => {
  const { app, paths, read } = house(t);
  const socket = await dial(t, await app.listen({ host: '127.0.0.1', port: 0 }), { 'content-length': '100000' });
  socket.write(`${line('a')}\n${line('b')}`);
  await until(() => paths.length === 1, { what: 'the first entry' });
  socket.destroy();
  await app.close();
  t.same([paths, read], [['kv/data/a'], []]);
});

t.test('a body that is too large is answered before it is sent, and its connection closed', async (t) => {
  const { app } = house(t);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const announced = await dial(t, address, { 'content-length': String(9 * 1024 * 1024) });
  t.match(await text(announced), /^HTTP\/1\.1 413 [\s\S]*connection: close/);
  const endless = await dial(t, address, { 'transfer-encoding': 'chunked' });
  const megabyte = Buffer.alloc(1024 * 1024, 'canary\n');
  for (let sent = 0; sent < 9; sent += 1) {
    endless.write(`${megabyte.length.toString(16)}\r\n`);
    endless.write(megabyte);
    endless.write('\r\n');
  }
  endless.on('error', () => {});
  const [answer] = await once(endless, 'data');
  t.match(String(answer), /^HTTP\/1\.1 413 /);
  t.notMatch(String(answer), /canary/);
});
