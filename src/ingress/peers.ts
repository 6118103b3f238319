import type net from 'node:net';

/** What is known of each open connection, also by the TLS socket that was made of it. */
export interface Peers<T> {
  add(socket: net.Socket, known: T): void;
  of(socket: net.Socket): T | undefined;
}

/** Node does not say which connection a TLS handshake belongs to; the peer's address and port do. */
export function createPeers<T>(): Peers<T> {
  const open = new Map<string, T>();
  return {
    add(socket, known) {
      const peer = peerOf(socket);
      open.set(peer, known);
      socket.once('close', () => {
        if (open.get(peer) === known) open.delete(peer); // the port may have come again already
      });
    },
    of: (socket) => open.get(peerOf(socket)),
  };
}

const peerOf = ({ remoteAddress, remotePort }: net.Socket): string => `${remoteAddress} ${remotePort}`;
