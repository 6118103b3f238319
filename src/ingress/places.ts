import type net from 'node:net';

/** The connections of one door, at most `limit` of them. */
export interface Places {
  /**
   * Takes the connection in; when all places are taken, the oldest that has not proved to be Vault's gives way to it.
   * False when there is none: then it is for the caller to end it.
   */
  admit(socket: net.Socket): boolean;
  /** It is Vault's: it stays however long it is silent. */
  keep(socket: net.Socket): void;
  end(): void;
}

/** @param onChange receives the number of open connections */
export function createPlaces(limit: number, onChange: (count: number) => void): Places {
  const strangers = new Set<net.Socket>();
  const kept = new Set<net.Socket>();
  const count = () => strangers.size + kept.size;
  const leave = (socket: net.Socket) => {
    if (strangers.delete(socket) || kept.delete(socket)) onChange(count());
  };
  const makeRoom = (): boolean => {
    const [oldest] = strangers;
    if (count() < limit) return true;
    if (oldest === undefined) return false;
    leave(oldest);
    oldest.destroy();
    return true;
  };
  return {
    admit(socket) {
      if (!makeRoom()) return false;
      strangers.add(socket);
      onChange(count());
      socket.once('close', () => leave(socket));
      return true;
    },
    keep(socket) {
      if (strangers.delete(socket)) kept.add(socket);
    },
    end() {
      for (const socket of [...strangers, ...kept]) socket.destroy();
    },
  };
}
