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
import { createPlaces, type Places } from './places.ts';
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
  readonly connect: (hooks: Pick<ConnectionOptions, 'onVault' | 'onSkipped'>) => Connection;
  /** Called after each chunk of lines. */
  readonly flush: () => void;
  readonly clock: Pick<Clock, 'monotonic'>;
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
  const places = createPlaces(options.maxConnections, options.onConnections);
  const allowed = createAllowList(options.allow);
  const begin = beginner(options, places);
  const plain = options.certificate === undefined;
  const adopt = plain ? createOwnBuffers() : chunked;
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER };
  const server = net.createServer({ ...keepAlive, pauseOnConnect: plain }, (accepted) => {
    const readable = adopt(accepted);
    const { socket } = readable;
    const remote = socket.remoteAddress;
    socket.on('error', () => socket.destroy());
    // Over a unix socket its mode and group decide. A TCP peer that is gone already has no address, either.
    if (remote === undefined ? socket.remoteFamily !== undefined : !allowed(remote)) {
      options.refuse('address', { remote });
      socket.destroy();
    } else if (places.admit(socket)) begin(readable);
    else {
      options.refuse('connections', { remote });
      socket.destroy();
    }
  });
  app.addHook('onReady', async () => options.onListening(await listen(server, options)));
  app.addHook('onClose', async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    places.end(); // Vault never hangs up: close() alone would wait for ever
    await closed;
  });
};

/** What is done with a connection that was let in: reads lines from it, at once or after its handshake. */
function beginner(options: SocketOptions, places: Places): (readable: Readable) => void {
  const { certificate, refuse } = options;
  if (certificate === undefined) return (readable) => serve(readable, options, () => places.keep(readable.socket));
  // Node does not say which connection a handshake belongs to; the peer's address and port do.
  const shaking = new Map<string, net.Socket>();
  const secured = tls.createServer(certificate.serverOptions, (socket) => {
    socket.on('error', () => socket.destroy());
    const raw = shaking.get(peerOf(socket));
    serve(chunked(socket), options, () => raw && places.keep(raw));
  });
  certificate.attach(secured);
  secured.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket) => {
    refuse('tls', { remote: socket.remoteAddress, code });
    socket.destroy();
  });
  return ({ socket }) => {
    const peer = peerOf(socket);
    shaking.set(peer, socket);
    socket.once('close', () => shaking.delete(peer));
    secured.emit('connection', socket);
  };
}

const peerOf = ({ remoteAddress, remotePort }: net.Socket): string => `${remoteAddress} ${remotePort}`;

function serve({ socket, read }: Readable, options: SocketOptions, keep: () => void): void {
  const { connect, flush, clock, log } = options;
  const remote = socket.remoteAddress ?? 'unix';
  let isVault = false;
  const connection = connect({
    onVault() {
      isVault = true;
      keep();
      log.info({ event: 'audit.connected', remote });
    },
    onSkipped: (bytes) => log.warn({ event: 'audit.line_skipped', remote, bytes, text: 'see ingress.maxLineBytes' }),
  });
  const take = (chunk: Buffer) => {
    connection.push(chunk);
    flush();
  };
  read(inTurns(socket, clock, take));
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
