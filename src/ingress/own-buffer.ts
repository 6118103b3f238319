import net from 'node:net';

/** Until the connection is known: every line of such a read is parsed, and all others wait for it. */
const FIRST_BYTES = 16 * 1024;

interface Internals {
  _handle?: object | null;
}

/** Takes the bytes of one read, which are valid only until it returns. */
type OnBytes = (bytes: Buffer) => void;

/** Makes of a connection that was accepted one to read from; nothing is read before it is told to whom. */
type Adopt = (accepted: net.Socket) => Readable;

export interface Readable {
  readonly socket: net.Socket;
  read(onBytes: OnBytes): void;
  /** Takes as much as there is from the next read on. */
  widen(): void;
  /** A pause leaves the bytes in the kernel, and a read takes all that have come. */
  readonly direct: boolean;
}

/**
 * Makes of each accepted connection one whose bytes come in one buffer for all. Node gives every chunk a buffer of its
 * own, which at full speed is 50 MB of garbage at any time and half of the work. It offers `onread` only to sockets
 * that one makes oneself, so the accepted one's handle moves over to such a one; where a Node has no such handle,
 * chunks come as ever. The server must have been made with `pauseOnConnect`.
 */
export function createOwnBuffers(buffer: Buffer): Adopt {
  return (accepted) => {
    const internals = accepted as Internals;
    const handle = internals._handle;
    if (typeof handle !== 'object' || handle === null) return chunked(accepted);
    let onBytes: OnBytes | undefined;
    let next = buffer.subarray(0, FIRST_BYTES);
    const callback = (length: number): boolean => {
      onBytes?.(buffer.subarray(0, length));
      return true;
    };
    internals._handle = null;
    const options = { handle, manualStart: true, onread: { buffer: () => next, callback } };
    const socket = new net.Socket(options as net.SocketConstructorOpts);
    socket.once('close', () => accepted.destroy()); // the server counts it as open until then
    return {
      socket,
      read(taker) {
        onBytes = taker;
        socket.resume();
      },
      widen() {
        next = buffer;
      },
      direct: true,
    };
  };
}

export const chunked: Adopt = (socket) => ({
  socket,
  read: (onBytes) => void socket.on('data', onBytes).resume(),
  widen() {},
  direct: false,
});
