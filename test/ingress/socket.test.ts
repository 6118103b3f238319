import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { type Certificate, createCertificate } from '../../src/certificate.ts';
import { systemClock } from '../../src/clock.ts';
import { parseSocketAddress } from '../../src/config/address.ts';
import { createConnection } from '../../src/ingress/connection.ts';
import { createRefusals } from '../../src/ingress/refusals.ts';
import { type SocketOptions, socketListener } from '../../src/ingress/socket.ts';
import { entryOf, kvEntry } from '../audit/entries.ts';
import { recordingLog } from '../fakes/log.ts';
import { createAuthority, type Issued } from '../servers/certificates.ts';
import { until } from '../servers/until.ts';

const KV = { namespace: '', mount: 'kv' };
const SEARCH = createMarkerSearch(auditMarkers([KV]));
const write = (path: string) => `${JSON.stringify(kvEntry(KV, 'update', `data/${path}`))}\n`;
const login = `${JSON.stringify(entryOf({ mountType: 'token', path: 'auth/token/lookup-self' }))}\n`;
const TCP = 'tcp://127.0.0.1:0';

interface Settings {
  readonly allow?: readonly string[];
  readonly mode?: number;
  readonly group?: string;
  readonly maxLineBytes?: number;
  readonly maxConnections?: number;
  readonly flush?: () => void;
  readonly certificate?: Certificate;
}

/** A listener with what reached it: `sweeps` counts the connections that proved to be Vault's. */
async function listen(t: Test, address: string, settings: Settings = {}) {
  const { log, lines } = recordingLog();
  const paths: string[] = [];
  const state = { sweeps: 0, open: 0, flushes: 0, bound: '', refused: [] as string[] };
  const connect: SocketOptions['connect'] = ({ onVault, onSkipped }) =>
    createConnection({
      search: SEARCH,
      maxLineBytes: settings.maxLineBytes ?? 100_000,
      onEntry: ({ path }) => paths.push(path),
      onVault() {
        state.sweeps += 1;
        onVault();
      },
      onMalformed() {},
      onSkipped,
    });
  const parsed = parseSocketAddress(address);
  if (parsed === undefined) throw new Error(`no address: ${address}`);
  const app = Fastify();
  await app.register(socketListener, {
    address: parsed,
    buffer: SEARCH.buffer,
    mode: settings.mode ?? 0o660,
    group: settings.group,
    allow: settings.allow ?? ['127.0.0.1/32', '::1/128'],
    maxConnections: settings.maxConnections ?? 100,
    certificate: settings.certificate,
    clock: systemClock,
    refuse: createRefusals({ clock: systemClock, log, onRefused: (reason) => state.refused.push(reason) }),
    connect,
    flush() {
      state.flushes += 1;
      settings.flush?.();
    },
    log,
    onConnections(count) {
      state.open = count;
    },
    onListening(bound) {
      state.bound = bound;
    },
  });
  t.teardown(() => app.close());
  await app.ready();
  return { app, lines, paths, state };
}

async function dial(t: Test, bound: string): Promise<net.Socket> {
  const socket = bound.startsWith('unix:')
    ? net.connect(bound.slice('unix:'.length))
    : net.connect(Number(bound.slice(bound.lastIndexOf(':') + 1)), hostOf(bound));
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const closed = (socket: net.Socket) => until(() => socket.resume().closed, { what: 'the connection to end' });

const hostOf = (bound: string): string => bound.slice('tcp://'.length, bound.lastIndexOf(':')).replace(/[[\]]/g, '');

async function socketPath(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultferry-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'audit.sock');
}

t.test('lines over TCP arrive, byte by byte too', async (t) => {
  const { state, paths, lines } = await listen(t, TCP);
  t.match(state.bound, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  const socket = await dial(t, state.bound);
  socket.setNoDelay(true);
  socket.write(login + write('a'));
  for (const byte of Buffer.from(write('é'))) socket.write(Buffer.of(byte));
  await until(() => paths.includes('kv/data/é'), { what: 'the last line' });
  t.same(paths, ['auth/token/lookup-self', 'kv/data/a', 'kv/data/é']);
  t.ok(state.flushes > 0);
  socket.end();
  await until(() => lines.length === 2, { what: 'the end' });
  t.match(lines, [
    { level: 'info', event: 'audit.connected', remote: '127.0.0.1' },
    { level: 'info', event: 'audit.disconnected', lines: 3 },
  ]);
});

t.test('IPv6 loopback', async (t) => {
  const { state, paths } = await listen(t, 'tcp://[::1]:0');
  t.match(state.bound, /^tcp:\/\/\[::1\]:[1-9]\d*$/);
  (await dial(t, state.bound)).write(write('a'));
  await until(() => paths.length === 1, { what: 'the line' });
});

t.test('each connection asks for one sweep, at its first valid line; junk and health checks for none', async (t) => {
  const { state, paths, lines } = await listen(t, TCP);
  for (const text of ['', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '{}\n']) {
    const socket = await dial(t, state.bound);
    socket.end(text);
    await closed(socket);
  }
  t.same([state.sweeps, lines], [0, []]);
  for (let connections = 1; connections <= 3; connections += 1) {
    const socket = await dial(t, state.bound);
    socket.write(`junk\n${login}${write('a')}`);
    socket.write(write('b'));
    await until(() => paths.length === 3 * connections, { what: 'the lines' });
    t.equal(state.sweeps, connections);
  }
});

t.test('many connections at once keep their lines apart, and are counted', async (t) => {
  const { state, paths } = await listen(t, TCP);
  const sockets = await Promise.all(Array.from({ length: 40 }, () => dial(t, state.bound)));
  await until(() => state.open === 40, { what: 'all connections' });
  const half = (index: number) => Math.floor(write(`s${index}`).length / 2);
  for (const [index, socket] of sockets.entries()) socket.write(write(`s${index}`).slice(0, half(index)));
  for (const [index, socket] of sockets.entries()) socket.write(write(`s${index}`).slice(half(index)));
  await until(() => paths.length === 40, { what: 'all lines' });
  t.equal(new Set(paths).size, 40);
  for (const socket of sockets) socket.destroy();
  await until(() => state.open === 0, { what: 'all to close' });
});

t.test('who is not allowed is turned away, and told of without a word of theirs', async (t) => {
  const { state, paths, lines } = await listen(t, TCP, { allow: ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'] });
  const socket = await dial(t, state.bound);
  socket.write(write('canary'));
  await closed(socket);
  t.match(lines, [{ level: 'warn', event: 'audit.refused', remote: '127.0.0.1', text: /ingress\.allow/ }]);
  t.same([paths, state.open, state.sweeps], [[], 0, 0]);
  t.notMatch(JSON.stringify(lines), /canary/);
});

/** From another process, while this one stands still: each connection has a line to read and is reset when it is taken in. */
function writeAndReset(bound: string, text: string, times: number): void {
  const script = `
    const { port, host, text, times } = JSON.parse(process.argv[1]);
    for (let i = 0; i < times; i += 1) {
      const socket = require('net').connect(port, host, () => socket.write(text, () => socket.resetAndDestroy()));
    }`;
  const settings = { port: Number(new URL(bound).port), host: hostOf(bound), text, times };
  const { status } = spawnSync(process.execPath, ['-e', script, JSON.stringify(settings)]);
  if (status !== 0) throw new Error('the other process failed');
}

t.test('who is not allowed leaves no line behind by a reset either', async (t) => {
  const { state, paths, lines } = await listen(t, TCP, { allow: ['10.0.0.0/8'] });
  writeAndReset(state.bound, write('canary'), 20);
  await closed(await dial(t, state.bound)); // taken in after them
  t.same([paths, state.open, state.sweeps], [[], 0, 0]);
  t.notMatch(JSON.stringify(lines), /canary|unix/);
});

t.test('single addresses and networks are allowed', async (t) => {
  for (const allow of [['127.0.0.1'], ['127.0.0.0/8'], ['0.0.0.0/0']]) {
    const { state, paths } = await listen(t, TCP, { allow });
    (await dial(t, state.bound)).write(write('a'));
    await until(() => paths.length === 1, { what: `the line under ${allow}` });
  }
});

t.test('a line over the bound is logged without its content, and the stream goes on', async (t) => {
  const { state, paths, lines } = await listen(t, TCP, { maxLineBytes: 2_000 });
  const socket = await dial(t, state.bound);
  socket.write(`${login}${'canary'.repeat(100_000)}\n${write('a')}`);
  await until(() => paths.includes('kv/data/a'), { what: 'the next line' });
  t.match(lines[1], { level: 'warn', event: 'audit.line_skipped', bytes: 600_000, text: /maxLineBytes/ });
  t.notMatch(JSON.stringify(lines), /canary/);
});

t.test('close ends connections that never hang up, and nothing listens any more', async (t) => {
  const { app, state, paths } = await listen(t, TCP);
  const sockets = await Promise.all([dial(t, state.bound), dial(t, state.bound)]);
  sockets[0]?.write(write('a'));
  await until(() => paths.length === 1 && state.open === 2, { what: 'both connections' });
  await app.close();
  await Promise.all(sockets.map(closed));
  t.equal(state.open, 0);
  await t.rejects(dial(t, state.bound), { code: 'ECONNREFUSED' });
});

t.test('a reset connection ends quietly', async (t) => {
  const { state } = await listen(t, TCP);
  const socket = await dial(t, state.bound);
  socket.write(write('a'));
  await until(() => state.sweeps === 1, { what: 'the line' });
  socket.resetAndDestroy();
  await until(() => state.open === 0, { what: 'its end' });
});

t.test('however much is written, and whatever becomes of it, the writer is never paused', async (t) => {
  const { state, paths } = await listen(t, TCP, { flush: () => new Promise(() => {}) });
  const socket = await dial(t, state.bound);
  const chunk = write('a').repeat(100);
  for (let chunks = 0; chunks < 200; chunks += 1) socket.write(chunk);
  await until(() => paths.length === 20_000, { what: 'all lines' });
  await until(() => socket.writableLength === 0, { what: 'the writer to be rid of all bytes' });
});

t.test('a taken TCP port is an error of the start', async (t) => {
  const { state } = await listen(t, TCP);
  await t.rejects(listen(t, state.bound), { code: 'EADDRINUSE' });
});

t.test('a unix socket has the mode and the group it was given, and goes when its owner closes', async (t) => {
  const path = await socketPath(t);
  const group = String(process.getgid?.() ?? 0);
  const { app, state, paths, lines } = await listen(t, `unix:${path}`, { mode: 0o620, group, allow: [] });
  t.equal(state.bound, `unix:${path}`);
  const { mode, gid } = await stat(path);
  t.same([mode & 0o777, String(gid)], [0o620, group]);
  (await dial(t, state.bound)).write(write('a'));
  await until(() => paths.length === 1, { what: 'the line' });
  t.match(lines, [{ event: 'audit.connected', remote: 'unix' }]);
  await app.close();
  t.equal(existsSync(path), false);
});

t.test('a group is looked up by its name, and a missing one is an error', async (t) => {
  const line = (await readFile('/etc/group', 'utf8'))
    .split('\n')
    .find((entry) => entry.split(':')[2] === String(process.getgid?.()));
  const path = await socketPath(t);
  if (line === undefined) t.comment('the group of this process has no name');
  else {
    const { app } = await listen(t, `unix:${path}`, { group: line.split(':')[0] ?? '' });
    t.equal((await stat(path)).gid, Number(line.split(':')[2]));
    await app.close();
  }
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  const left = await socketPath(t);
  await t.rejects(listen(t, `unix:${left}`, { group: 'no-such-group' }), { message: /socketGroup.*no-such-group/ });
  t.equal(process.umask(before), 0, 'the mask is put back');
  t.equal((await stat(left)).mode & 0o777, 0o600, 'until mode and group are set it is open to nobody else');
});

/** The file of a unix socket whose owner was killed: Node removes it only on close. */
function leaveStale(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
}

t.test("a dead owner's socket file is removed", async (t) => {
  const path = await socketPath(t);
  leaveStale(path);
  t.equal(existsSync(path), true);
  const { state, paths } = await listen(t, `unix:${path}`);
  (await dial(t, state.bound)).write(write('a'));
  await until(() => paths.length === 1, { what: 'the line' });
});

t.test("a living owner's socket file is refused, and stays", async (t) => {
  const path = await socketPath(t);
  const { state, paths, lines } = await listen(t, `unix:${path}`);
  await t.rejects(listen(t, `unix:${path}`), { code: 'EADDRINUSE' });
  (await dial(t, state.bound)).write(write('a'));
  await until(() => paths.length === 1, { what: 'the line of the first owner' });
  t.equal(state.sweeps, 1);
  t.match(lines, [{ event: 'audit.connected' }]);
});

t.test('a file that is no socket is refused, and stays', async (t) => {
  const path = await socketPath(t);
  await writeFile(path, 'precious');
  await t.rejects(listen(t, `unix:${path}`), { code: 'EADDRINUSE' });
  t.equal(await readFile(path, 'utf8'), 'precious');
});

t.test('where all places are taken, who has not proved to be Vault gives way, oldest first', async (t) => {
  const { state, paths } = await listen(t, TCP, { maxConnections: 3 });
  const vault = await dial(t, state.bound);
  vault.write(write('a'));
  await until(() => paths.length === 1, { what: 'the line' });
  const [first, second] = [await dial(t, state.bound), await dial(t, state.bound)];
  await until(() => state.open === 3, { what: 'all connections' });
  const third = await dial(t, state.bound);
  await closed(first);
  third.write(write('b'));
  second.write('{"type":"respon');
  await until(() => paths.length === 2, { what: 'the line of the last' });
  vault.write(write('c'));
  await until(() => paths.length === 3, { what: "Vault's line" });
  t.same([state.open, second.closed, state.refused], [3, false, []]);
});

t.test('made-up lines keep no real one out: the connection that was silent longest gives way', async (t) => {
  const { state, paths, lines } = await listen(t, TCP, { maxConnections: 3 });
  const sockets = [await dial(t, state.bound), await dial(t, state.bound), await dial(t, state.bound)];
  for (const [index, socket] of sockets.entries()) socket.write(write(`s${index}`));
  await until(() => paths.length === 3, { what: 'the lines' });
  sockets[0]?.write(write('again'));
  await until(() => paths.length === 4, { what: 'the first to speak again' });
  const silent = paths.find((path) => path !== 'kv/data/s0');
  const real = await dial(t, state.bound);
  real.write(write('real'));
  await until(() => paths.includes('kv/data/real'), { what: 'the real line' });
  await closed(sockets[Number(silent?.at(-1))] as net.Socket);
  t.same([state.open, sockets[0]?.closed, state.refused], [3, false, ['connections']]);
  t.match(
    lines.find(({ event }) => event === 'audit.refused'),
    { level: 'warn', remote: '127.0.0.1', text: /maxConnections.* silent the longest/ },
  );
});

t.test('a flood of lines that cost much lets another connection have its turn', async (t) => {
  const { state, paths } = await listen(t, TCP, { maxLineBytes: 4_000_000 });
  const flood = await dial(t, state.bound);
  const junk = Buffer.from(`{"${'x'.repeat(60)}\n`.repeat(60_000));
  flood.write(junk);
  const vault = await dial(t, state.bound);
  const waits: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const began = performance.now();
    vault.write(write(`turn-${turn}`));
    await until(() => paths.includes(`kv/data/turn-${turn}`), { what: 'its line', interval: 1 });
    waits.push(performance.now() - began);
  }
  t.comment(`waited ${waits.map(Math.round).join(', ')} ms`);
  t.ok(flood.writableLength > 0 || Math.max(...waits) < 500, 'it is not served after the flood alone');
});

const authority = createAuthority('an authority');
const stranger = createAuthority('another authority');

/** A certificate object that serves what was issued, asking clients for one of `clients` if given. */
async function serving({ cert, key }: Issued, clients?: string): Promise<Certificate> {
  const contents: Record<string, string> = { cert, key, ...(clients !== undefined && { clients }) };
  const files = { certFile: 'cert', keyFile: 'key', ...(clients !== undefined && { clientCaFile: 'clients' }) };
  const certificate = createCertificate('ingress.tls', clients !== undefined, async (path) => contents[path] ?? '');
  (await certificate.prepare(files))();
  return certificate;
}

function dialTls(t: Test, bound: string, client: tls.ConnectionOptions = {}): tls.TLSSocket {
  const { hostname, port } = new URL(bound);
  const socket = tls.connect({ host: hostname, port: Number(port), ca: authority.cert, ...client });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return socket;
}

t.test("lines over TLS arrive, and such a connection is kept as Vault's", async (t) => {
  const certificate = await serving(authority.issue('server'));
  const { state, paths, lines } = await listen(t, 'tls://127.0.0.1:0', { certificate, maxConnections: 2 });
  t.match(state.bound, /^tls:\/\/127\.0\.0\.1:[1-9]\d*$/);
  const socket = dialTls(t, state.bound);
  socket.write(login + write('a'));
  await until(() => paths.includes('kv/data/a'), { what: 'the line' });
  const stranger = dialTls(t, state.bound);
  await once(stranger, 'secureConnect');
  await once(dialTls(t, state.bound), 'secureConnect');
  await closed(stranger);
  t.same([state.open, socket.closed, state.refused.includes('connections')], [2, false, false]);
  socket.end();
  await until(() => state.open === 1, { what: 'its end' });
  t.match(
    lines.filter(({ event }) => event !== 'audit.refused'),
    [
      { event: 'audit.connected', remote: '127.0.0.1' },
      { event: 'audit.disconnected', lines: 2 },
    ],
  );
});

t.test('who asks for no TLS, or shows no right certificate, sends no line', async (t) => {
  const certificate = await serving(authority.issue('server'), authority.cert);
  const { app, state, paths, lines } = await listen(t, 'tls://127.0.0.1:0', { certificate });
  const plain = await dial(t, state.bound.replace('tls', 'tcp'));
  plain.write(write('canary'));
  await closed(plain);
  for (const client of [{}, stranger.issue('client')]) {
    const socket = dialTls(t, state.bound, client);
    socket.write(write('canary'));
    await closed(socket);
  }
  t.same(state.refused, ['tls', 'tls', 'tls']);
  t.match(lines, [{ level: 'warn', event: 'audit.refused', reason: 'tls', remote: '127.0.0.1' }]);
  t.notMatch(JSON.stringify(lines), /canary/);
  dialTls(t, state.bound, authority.issue('client')).write(write('a'));
  await until(() => paths.length > 0, { what: 'the line' });
  t.same(paths, ['kv/data/a']);
  await app.close();
  await until(() => state.open === 0, { what: 'all to close' });
});

t.test('a new certificate is for new connections, and open ones stay', async (t) => {
  const contents: Record<string, string> = {};
  const certificate = createCertificate('ingress.tls', false, async (path) => contents[path] ?? '');
  const use = async ({ cert, key }: Issued) => {
    Object.assign(contents, { cert, key });
    (await certificate.prepare({ certFile: 'cert', keyFile: 'key' }))();
  };
  await use(authority.issue('first'));
  const { state, paths } = await listen(t, 'tls://127.0.0.1:0', { certificate });
  const name = (socket: tls.TLSSocket) => socket.getPeerCertificate().subject.CN;
  const [before, after] = [dialTls(t, state.bound), () => dialTls(t, state.bound)];
  await once(before, 'secureConnect');
  await use(authority.issue('second'));
  const next = after();
  await once(next, 'secureConnect');
  t.same([name(before), name(next)], ['first', 'second']);
  before.write(write('a'));
  next.write(write('b'));
  await until(() => paths.length === 2, { what: 'both lines' });
});
