import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { AnswerTooLarge, createTransport } from '../../src/vault/transport.ts';
import { startVaultHttp } from '../fakes/vault-http.ts';

const tls = {
  cert: readFileSync('test/fixtures/tls-cert.pem', 'utf8'),
  key: readFileSync('test/fixtures/tls-key.pem', 'utf8'),
};

async function world(t: Test, options: { timeout?: number; ca?: string; secure?: boolean } = {}) {
  const vault = await startVaultHttp(options.secure === true ? tls : undefined);
  const transport = createTransport({ timeout: options.timeout ?? 5000, ca: options.ca });
  t.teardown(async () => {
    transport.close();
    await vault.close();
  });
  const send = (path: string, { method = 'GET', maxBytes = 1000 } = {}) =>
    transport.send({ method, uri: `${vault.address}/v1${path}`, headers: {}, maxBytes });
  return { vault, send, transport };
}

t.test('connections are kept and used again', async (t) => {
  const { vault, send } = await world(t);
  vault.on('/x', { body: 'text' });
  for (let turn = 0; turn < 5; turn += 1) t.equal((await send('/x')).body.text.reveal(), 'text');
  t.equal(vault.connections(), 1);
});

t.test('the body comes to the byte, across chunks and multi-byte characters', async (t) => {
  const { vault, send } = await world(t);
  const body = `\ufeff${'😀é\u0000'.repeat(50)}`;
  vault.on('/x', { body });
  t.equal((await send('/x')).body.text.reveal(), body);
});

t.test('a body over the bound is refused, one at the bound is not', async (t) => {
  const { vault, send } = await world(t);
  vault.on('/x', { body: 'x'.repeat(1000) });
  t.equal((await send('/x')).statusCode, 200);
  vault.on('/x', { body: 'x'.repeat(1001) });
  await t.rejects(send('/x'), AnswerTooLarge);
  t.equal((await send('/x', { maxBytes: 2000 })).statusCode, 200, 'and the next request works');
});

t.test('a silent server is left after the time limit', async (t) => {
  const { vault, send } = await world(t, { timeout: 50 });
  vault.on('/x', { act: 'hang' });
  await t.rejects(send('/x'), /no answer within 50 ms/);
});

t.test('an answer that trickles is left after the same limit', async (t) => {
  const server = net.createServer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const transport = createTransport({ timeout: 50 });
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/x`;
  await t.rejects(transport.send({ method: 'GET', uri, headers: {}, maxBytes: 1000 }), /no answer within 50 ms/);
});

/** Answers the first request of each connection, and cuts it at the second without a byte. */
async function forgetful(t: Test) {
  const sockets = new Set<net.Socket>();
  const counts = { requests: 0 };
  const server = net.createServer((socket) => {
    let served = false;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      counts.requests += 1;
      if (served) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      served = true;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { counts, uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/x` };
}

t.test('a GET replaces a kept connection that the server has given up; a POST has one of its own', async (t) => {
  const { counts, uri } = await forgetful(t);
  const transport = createTransport({ timeout: 5000 });
  t.teardown(transport.close);
  const get = { method: 'GET', uri, headers: {}, maxBytes: 1000 };
  await transport.send(get);
  t.equal((await transport.send(get)).body.text.reveal(), 'ok');
  t.equal(counts.requests, 3);
  const post = { ...get, method: 'POST', body: new Sensitive('{}') };
  for (const requests of [4, 5]) {
    t.equal((await transport.send(post)).body.text.reveal(), 'ok');
    t.equal(counts.requests, requests);
  }
});

t.test('a connection cut at its first request is a failure', async (t) => {
  const { vault, send } = await world(t);
  vault.on('/x', { act: 'reset' });
  await t.rejects(send('/x'), { code: 'ECONNRESET' });
  t.equal(vault.count('/x'), 1);
});

t.test('an authority that is given is trusted, and no other', async (t) => {
  const trusted = await world(t, { secure: true, ca: tls.cert });
  trusted.vault.on('/x', { body: 'text' });
  t.equal((await trusted.send('/x')).statusCode, 200);
  const strange = await world(t, { secure: true });
  await t.rejects(strange.send('/x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  t.equal(strange.vault.requests.length, 0);
});

t.test('the token never goes from https to http', async (t) => {
  const { vault, send } = await world(t, { secure: true, ca: tls.cert });
  const plain = await startVaultHttp();
  t.teardown(plain.close);
  vault.on('/x', { status: 307, headers: { location: `${plain.address}/v1/x` } });
  t.equal((await send('/x')).statusCode, 307);
  t.equal(plain.requests.length, 0);
});

t.test('the path is sent as it is, and an IPv6 address is no obstacle', async (t) => {
  const { vault, send, transport } = await world(t);
  await send('/a/%2e%2e/b%2Fc');
  t.equal(vault.requests.at(-1)?.path, '/a/%2e%2e/b%2Fc');
  const request = { method: 'GET', uri: 'http://[::1]:1/v1/x', headers: {}, maxBytes: 1 };
  await t.rejects(transport.send(request), { code: /ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT/ });
});

t.test('an answer cannot be printed', async (t) => {
  const { vault, send } = await world(t);
  vault.on('/x', { body: 'canary' });
  t.notMatch(JSON.stringify(await send('/x')), /canary/);
});
