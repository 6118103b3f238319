import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { createCertificate } from '../../src/certificate.ts';
import { createHttpDoor, HTTP_LIMITS, type HttpDoorOptions } from '../../src/serve/http-server.ts';
import { createAuthority } from '../servers/certificates.ts';
import { until } from '../servers/until.ts';

const authority = createAuthority('an authority');
const LIMITS = { ...HTTP_LIMITS, maxConnections: 10, checkingInterval: 20 };

const BODY = 'content-length: 2\r\n\r\n{}';

/** A door with one request to make; whoever sends a token proves itself, and `held` is answered at the door's end. */
async function open(t: Test, options: Partial<HttpDoorOptions>) {
  const refused: string[] = [];
  const door = createHttpDoor({ limits: LIMITS, onRefused: (...told) => refused.push(told.join(' ')), ...options });
  const app = Fastify({ serverFactory: door.serverFactory });
  t.teardown(() => door.close(app));
  app.post('/', async ({ body, headers, raw }) => {
    if (headers.authorization !== undefined) door.prove(raw.socket);
    return body;
  });
  app.post('/held', () => new Promise(() => {}));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, door, refused, port: (app.server.address() as AddressInfo).port };
}

const serve = async (t: Test, options: Partial<HttpDoorOptions>) => (await open(t, options)).port;

async function dial(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const HEAD = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';

t.test('whoever is slow with headers or body is told so and cut; who says nothing at all is cut', async (t) => {
  const port = await serve(t, { limits: { ...LIMITS, headersTimeout: 60, requestTimeout: 120 } });
  const [silent, slow, slower] = [await dial(t, port), await dial(t, port), await dial(t, port)];
  slow.write(HEAD);
  slower.write(`${HEAD}content-length: 10\r\n\r\n"abc`);
  const answers = await Promise.all([silent, slow, slower].map((socket) => text(socket)));
  for (const answer of answers.slice(1)) t.match(answer, /^HTTP\/1\.1 408 /);
  t.notMatch(answers.join(), /abc/);
});

t.test('an idle connection is cut between two requests and within one', async (t) => {
  const port = await serve(t, { limits: { ...LIMITS, keepAliveTimeout: 50, idleTimeout: 100 } });
  const between = await dial(t, port);
  between.write(`${HEAD}content-length: 2\r\n\r\n{}`);
  t.match(await text(between), /^HTTP\/1\.1 200 [\s\S]*\{\}$/);
  const within = await dial(t, port);
  within.write(`${HEAD}content-length: 2\r\n\r\n{`);
  await until(() => within.resume().closed, { what: 'the end of the silent request' });
});

t.test('headers are bounded', async (t) => {
  const socket = await dial(t, await serve(t, {}));
  socket.write(`${HEAD}x: ${'y'.repeat(20_000)}\r\n\r\n`);
  t.match(await text(socket), /^HTTP\/1\.1 431 /);
});

/** One request whose answer has come; the connection stays. */
async function ask(socket: Socket, header = ''): Promise<void> {
  const answered = once(socket, 'data');
  socket.write(`${HEAD}${header}${BODY}`);
  t.match(String(await answered), /^HTTP\/1\.1 200 /);
}

const TOKEN = 'authorization: Bearer a\r\n';
const closed = (socket: Socket) => until(() => socket.resume().closed, { what: 'the connection to end' });

t.test('strangers who ask and then stay keep nobody out: the oldest gives way', async (t) => {
  const { port, refused } = await open(t, { limits: { ...LIMITS, maxConnections: 3 } });
  const proved = await dial(t, port);
  await ask(proved, TOKEN);
  const strangers: Socket[] = [];
  for (let arrived = 0; arrived < 6; arrived += 1) {
    const stranger = await dial(t, port);
    await ask(stranger);
    strangers.push(stranger);
  }
  await Promise.all(strangers.slice(0, 4).map(closed));
  await ask(proved, TOKEN);
  t.same([strangers[5]?.closed, refused], [false, []]);
});

t.test('where all have shown a token, one that is idle gives way, and one that is being answered never', async (t) => {
  const { port, refused } = await open(t, { limits: { ...LIMITS, maxConnections: 2 } });
  const [busy, idle] = [await dial(t, port), await dial(t, port)];
  await ask(busy, TOKEN);
  await ask(idle, TOKEN);
  busy.write(`${HEAD.replace('/', '/held')}${BODY}`);
  const next = await dial(t, port);
  await closed(idle);
  await ask(next, TOKEN);
  t.same([busy.closed, refused], [false, ['connections 127.0.0.1']]);
  next.write(`${HEAD.replace('/', '/held')}${BODY}`);
  const surplus = await dial(t, port);
  surplus.write(`${HEAD}${BODY}`);
  await closed(surplus);
  t.same([busy.closed, next.closed, refused.length], [false, false, 2]);
});

t.test('an address that may not connect is ended before it can say anything', async (t) => {
  const { port, refused } = await open(t, { allowed: (remote) => remote !== '127.0.0.1' });
  const socket = await dial(t, port);
  socket.write(`${HEAD}${BODY}`);
  await closed(socket);
  t.same([socket.bytesRead, refused], [0, ['address 127.0.0.1']]);
  await ask(await dial(t, await serve(t, { allowed: (remote) => remote === '127.0.0.1' })));
});

t.test('the end does not wait for a body that never comes', async (t) => {
  const { app, door, port } = await open(t, {});
  const [late, idle] = [await dial(t, port), await dial(t, port)];
  await ask(idle);
  const begun = once(app.server, 'request');
  late.write(`${HEAD}content-length: 10\r\n\r\n"abc`);
  await begun;
  await door.close(app); // the request itself would have a minute
  await Promise.all([late, idle].map(closed));
});

t.test('over TLS with the certificate it is given, and with the next one after a change', async (t) => {
  const contents: Record<string, string> = {};
  const certificate = createCertificate('admin.tls', false, async (path) => contents[path] ?? '');
  const use = async (name: string) => {
    Object.assign(contents, authority.issue(name));
    (await certificate.prepare({ certFile: 'cert', keyFile: 'key' }))();
  };
  await use('first');
  const port = await serve(t, { certificate });
  const ask = async () => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.cert });
    t.teardown(() => socket.destroy());
    await once(socket, 'secureConnect');
    socket.write(`${HEAD}${TOKEN}content-length: 2\r\nconnection: close\r\n\r\n{}`);
    const name = socket.getPeerCertificate().subject.CN;
    return [name, (await text(socket)).slice(0, 15)];
  };
  t.same(await ask(), ['first', 'HTTP/1.1 200 OK']);
  await use('second');
  t.same(await ask(), ['second', 'HTTP/1.1 200 OK']);
});
