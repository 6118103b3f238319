import { chmod, chown, lstat, readFile, unlink } from 'node:fs/promises';
import net from 'node:net';
import type { FastifyPluginAsync } from 'fastify';
import type { SocketAddress } from '../config/address.ts';
import type { Log } from '../log.ts';
import type { Connection, ConnectionOptions } from './connection.ts';

export interface SocketOptions {
  readonly address: SocketAddress;
  /** Of a unix socket: Vault runs as another user. */
  readonly mode: number;
  readonly group?: string | undefined;
  /** Addresses and CIDR networks that may connect over TCP. */
  readonly allow: readonly string[];
  readonly connect: (hooks: Pick<ConnectionOptions, 'onVault' | 'onSkipped'>) => Connection;
  /** Called after each chunk of lines. */
  readonly flush: () => void;
  readonly log: Log;
  readonly onConnections: (count: number) => void;
  readonly onListening: (address: string) => void;
}

/**
 * Vault's socket audit device writes here. Nothing ever pauses such a connection: Vault holds up requests while its
 * audit device cannot write, so what cannot be kept is dropped and repaired by a sweep instead.
 */
export const socketListener: FastifyPluginAsync<SocketOptions> = async (app, options) => {
  const connections = new Set<net.Socket>();
  const allowed = allowList(options.allow);
  const server = net.createServer((socket) => {
    if (!mayConnect(socket, allowed)) return refuse(socket, options.log);
    connections.add(socket);
    options.onConnections(connections.size);
    serve(socket, options);
    socket.once('close', () => {
      connections.delete(socket);
      options.onConnections(connections.size);
    });
  });
  app.addHook('onReady', async () => options.onListening(await listen(server, options)));
  app.addHook('onClose', async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of connections) socket.destroy(); // Vault never hangs up: close() alone would wait for ever
    await closed;
  });
};

function serve(socket: net.Socket, { connect, flush, log }: SocketOptions): void {
  const remote = socket.remoteAddress ?? 'unix';
  let isVault = false;
  const connection = connect({
    onVault() {
      isVault = true;
      log.info({ event: 'audit.connected', remote });
    },
    onSkipped: (bytes) => log.warn({ event: 'audit.line_skipped', remote, bytes, text: 'see ingress.maxLineBytes' }),
  });
  socket.on('data', (chunk: Buffer) => {
    connection.push(chunk);
    flush();
  });
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    connection.end();
    if (isVault) log.info({ event: 'audit.disconnected', remote, lines: connection.counts.lines });
  });
}

function refuse(socket: net.Socket, log: Log): void {
  log.warn({ event: 'audit.refused', remote: socket.remoteAddress, text: 'not in ingress.allow' });
  socket.destroy();
}

function allowList(allow: readonly string[]): net.BlockList {
  const list = new net.BlockList();
  for (const entry of allow) {
    const [address = '', prefix] = entry.split('/');
    const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** Over a unix socket its mode and group decide. */
function mayConnect({ remoteAddress, remoteFamily }: net.Socket, allowed: net.BlockList): boolean {
  if (remoteAddress === undefined) return remoteFamily === undefined;
  return allowed.check(remoteAddress, net.isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}

async function listen(server: net.Server, { address, mode, group }: SocketOptions): Promise<string> {
  if (address.kind === 'tcp') {
    await bind(server, { host: address.host, port: address.port });
    const { port } = server.address() as net.AddressInfo;
    return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
  }
  await removeStale(address.path);
  await bind(server, { path: address.path });
  if (group !== undefined) await chown(address.path, process.getuid?.() ?? 0, await groupId(group));
  await chmod(address.path, mode);
  return `unix:${address.path}`;
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

/**
 * A socket file whose owner died is in the way. One that answers belongs to somebody, and so does whatever is no socket
 * (it refuses connections, too): they stay, and binding fails on them.
 */
async function removeStale(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined);
  if (!file?.isSocket()) return;
  const refused = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path, () => probe.destroy());
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    probe.once('close', () => resolve(false));
  });
  if (refused) await unlink(path);
}

/** Node has no getgrnam. */
async function groupId(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const groups = await readFile('/etc/group', 'utf8');
  const line = groups.split('\n').find((entry) => entry.startsWith(`${group}:`));
  if (line === undefined) throw new Error(`ingress.socketGroup: no group "${group}" in /etc/group`);
  return Number(line.split(':')[2]);
}
