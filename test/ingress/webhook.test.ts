import { gzipSync } from 'node:zlib';
import Fastify, { type InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import type { OnQueued } from '../../src/ingress/dirty.ts';
import { webhook } from '../../src/ingress/webhook.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { kvEntry } from '../audit/entries.ts';
import { manualClock } from '../fakes/clock.ts';

const KV = { namespace: '', mount: 'kv' };
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

/** The webhook over a funnel that takes each entry as so many messages, which are on the queue after a flush. */
function house(t: Test, { max = 1_000, messages = 1, queue = true, reachable = true }: Settings = {}) {
  const clock = manualClock();
  const paths: string[] = [];
  let waiting: OnQueued[] = [];
  const app = Fastify();
  t.teardown(() => app.close());
  app.register(webhook, {
    tokens: ['first-token', 'second-token', 'third-token'].map((token) => new Sensitive(token)),
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
  return { app, clock, paths, post, waiting: () => waiting.length };
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
  for (const [body, numbers] of [
    [`${line('a')}\ncanary\n\n{"canary":1}\n${line('b')}\n`, '2, 3'],
    [JSON.stringify([entry('a'), 'canary', entry('b'), null]), '2, 4'],
    ['{"type":"canary"}', '1'],
    ['"canary"', '1'],
    [`[${line('a')},canary`, '1'],
  ] as const) {
    const { post, paths } = house(t);
    refused(t, await post(body), 400, new RegExp(`number ${numbers}$`));
    t.same(paths, numbers.length > 1 ? ['kv/data/a', 'kv/data/b'] : []);
  }
});

t.test('what is not gzip, and what unpacks to too much, is refused', async (t) => {
  const { post, paths } = house(t);
  const headers = { 'content-encoding': 'gzip' };
  refused(t, await post('canary', { headers }), 400, /not gzip/);
  refused(t, await post(gzipSync(Buffer.alloc(9 * 1024 * 1024, 32)), { headers }), 413, /unpacks/);
  refused(t, await post(gzipSync(line('a')).subarray(0, -9), { headers }), 400, /not gzip/);
  t.same(paths, []);
});

t.test('a token is needed, any of them, and whole', async (t) => {
  const { app, paths } = house(t);
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
  refused(t, await ask({}, '/v1/audit?ack=received'), 401, /token/);
  t.same(paths, []);
  for (const token of ['first-token', 'second-token', 'third-token']) {
    t.equal((await ask({ authorization: `Bearer ${token}` })).statusCode, 204);
  }
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
    tokens: [new Sensitive('second-token')],
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
  const answer = await app.inject({ method: 'POST', url: '/v1/audit', payload: line('a'), headers: AUTHORIZED });
  refused(t, answer, 500, /send the same again/);
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
