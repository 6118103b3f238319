import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { createCertificate } from '../../src/certificate.ts';
import { HTTP_LIMITS, type HttpServerOptions, httpServerFactory } from '../../src/serve/http-server.ts';
import { createAuthority } from '../servers/certificates.ts';
import { until } from '../servers/until.ts';

const authority = createAuthority('an authority');
const LIMITS = { ...HTTP_LIMITS, maxConnections: 10, checkingInterval: 20 };

async function serve(t: Test, options: Partial<HttpServerOptions>): Promise<number> {
  const app = Fastify({ serverFactory: httpServerFactory({ limits: LIMITS, ...options }) });
  t.teardown(() => app.close());
  app.post('/', async ({ body }) => body);
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

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

t.test('connections are bounded, and one too many is told of', async (t) => {
  const dropped: unknown[] = [];
  const port = await serve(t, {
    limits: { ...LIMITS, maxConnections: 2 },
    onDropped: (remote) => dropped.push(remote),
  });
  const kept = [await dial(t, port), await dial(t, port)];
  const surplus = await dial(t, port);
  await until(() => surplus.resume().closed, { what: 'the third to be closed' });
  t.same(dropped, ['127.0.0.1']);
  kept[0]?.write(`${HEAD}content-length: 2\r\nconnection: close\r\n\r\n{}`);
  t.match(await text(kept[0] as Socket), /^HTTP\/1\.1 200 /);
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
    socket.write(`${HEAD}content-length: 2\r\nconnection: close\r\n\r\n{}`);
    const name = socket.getPeerCertificate().subject.CN;
    return [name, (await text(socket)).slice(0, 15)];
  };
  t.same(await ask(), ['first', 'HTTP/1.1 200 OK']);
  await use('second');
  t.same(await ask(), ['second', 'HTTP/1.1 200 OK']);
});
