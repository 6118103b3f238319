import net from 'node:net';
import tls from 'node:tls';
import type { FastifyPluginAsync } from 'fastify';
import type { Certificate } from '../certificate.ts';
import type { Clock } from '../clock.ts';
import { formatSocketAddress, type SocketAddress } from '../config/address.ts';
import type { Log } from '../log.ts';
import { createAllowList } from './allow-list.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { inTurns } from './in-turns.ts';
import { chunked, createOwnBuffers, type Readable } from './own-buffer.ts';
import { pacedReads } from './paced-reads.ts';
import { createPeers } from './peers.ts';
import { createPlaces, type Place } from './places.ts';
import type { Refuse } from './refusals.ts';
import { bindUnix } from './unix-socket.ts';

/** Vault's connection may be silent for days and is never cut for it. The kernel asks, after so many ms, whether the peer is there. */
const KEEP_ALIVE_AFTER = 60_000;

export interface SocketOptions {
  readonly address: SocketAddress;
  /** Of a `tls://` address. */
  readonly certificate?: Certificate | undefined;
  /** Of a unix socket: Vault runs as another user. */
  readonly mode: number;
  readonly group?: string | undefined;
  /** Addresses and CIDR networks that may connect over TCP. */
  readonly allow: readonly string[];
  readonly maxConnections: number;
  /** Where each read's bytes come to lie. */
  readonly buffer: Buffer;
  readonly connect: (hooks: Pick<ConnectionOptions, 'onVault' | 'onSkipped'>) => Connection;
  /** Called after each chunk of lines. */
  readonly flush: () => void;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly log: Log;
  readonly refuse: Refuse;
  readonly onConnections: (count: number) => void;
  readonly onListening: (address: string) => void;
}

/**
 * Vault's socket audit device writes here. Nothing ever waits for anything before such a connection is read on: Vault
 * holds up requests while its audit device cannot write, so what cannot be kept is dropped and repaired by a sweep.
 */
export const socketListener: FastifyPluginAsync<SocketOptions> = async (app, options) => {
  const places = createPlaces({
    limit: options.maxConnections,
    onChange: options.onConnections,
    onCrowded: ({ remoteAddress }) => options.refuse('connections', { remote: remoteAddress ?? UNIX }),
  });
  const admitted = gate(options);
  const begin = beginner(options);
  const plain = options.certificate === undefined;
  const adopt = plain ? createOwnBuffers(options.buffer) : chunked;
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER };
  const server = net.createServer({ ...keepAlive, pauseOnConnect: plain }, (accepted) => {
    const readable = adopt(accepted);
    const { socket } = readable;
    socket.on('error', () => socket.destroy());
    const remote = admitted(socket);
    const place = remote === undefined ? undefined : places.admit(socket);
    if (remote === undefined || place === undefined) socket.destroy();
    else begin(readable, { remote, place });
  });
  app.addHook('onReady', async () => options.onListening(await listen(server, options)));
  app.addHook('onClose', async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    places.end(); // Vault never hangs up: close() alone would wait for ever
    await closed;
  });
};

const UNIX = 'unix';

const SKIPPED = 'over ingress.maxLineBytes, or the longest when the unfinished lines of all connections took too much';

/** Who may connect: the name for the log, undefined for whoever may not. Over a unix socket its mode and group decide. */
function gate({ address, allow, refuse }: SocketOptions): (socket: net.Socket) => string | undefined {
  if (address.kind === 'unix') return () => UNIX;
  const allowed = createAllowList(allow);
  return ({ remoteAddress: remote }) => {
    if (remote === undefined) return undefined; // reset already: whose lines it has left cannot be known any more
    if (allowed(remote)) return remote;
    refuse('address', { remote });
    return undefined;
  };
}

/** A connection that was let in. */
interface Admitted {
  readonly remote: string;
  readonly place: Place;
}

/** What is done with a connection that was let in: reads lines from it, at once or after its handshake. */
function beginner(options: SocketOptions): (readable: Readable, admitted: Admitted) => void {
  const { certificate, refuse } = options;
  if (certificate === undefined) return (readable, admitted) => serve(readable, admitted, options);
  const shaking = createPeers<Admitted>();
  const secured = tls.createServer(certificate.serverOptions, (socket) => {
    socket.on('error', () => socket.destroy());
    const admitted = shaking.of(socket);
    if (admitted === undefined) socket.destroy();
    else serve(chunked(socket), admitted, options);
  });
  certificate.attach(secured);
  secured.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket) => {
    refuse('tls', { remote: socket.remoteAddress, code });
    socket.destroy();
  });
  return ({ socket }, admitted) => {
    shaking.add(socket, admitted);
    secured.emit('connection', socket);
  };
}

function serve({ socket, read, widen, direct }: Readable, { remote, place }: Admitted, options: SocketOptions): void {
  const { connect, flush, clock, log } = options;
  let isVault = false;
  const connection = connect({
    onVault() {
      isVault = true;
      place.keep();
      widen();
      log.info({ event: 'audit.connected', remote });
    },
    onSkipped: (bytes) => log.warn({ event: 'audit.line_skipped', remote, bytes, text: SKIPPED }),
  });
  const take = (chunk: Buffer) => {
    if (isVault) place.heard(); // junk does not help a stranger to stay
    connection.push(chunk);
    flush();
  };
  const fairly = inTurns(socket, clock, take);
  read(direct ? pacedReads(socket, clock, fairly) : fairly);
  socket.once('close', () => {
    connection.end();
    if (isVault) log.info({ event: 'audit.disconnected', remote, lines: connection.counts.lines });
  });
}

async function listen(server: net.Server, { address, mode, group }: SocketOptions): Promise<string> {
  if (address.kind === 'unix') {
    await bindUnix({ path: address.path, mode, group }, () => bind(server, { path: address.path }));
    return formatSocketAddress(address);
  }
  await bind(server, { host: address.host, port: address.port });
  const { port } = server.address() as net.AddressInfo;
  return formatSocketAddress({ ...address, port });
}

const bind = (server: net.Server, target: net.ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.off('error', reject);
      server.on('error', () => undefined); // of single accepts (no file descriptors left): the next one may pass
      resolve();
    });
  });
