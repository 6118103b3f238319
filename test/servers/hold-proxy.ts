import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface HoldProxy {
  readonly port: number;
  /** Nothing that is sent to the target arrives any more, and nobody is told. */
  hold(): void;
  /** What was held arrives, in order; so does all that follows. */
  release(): void;
  close(): Promise<void>;
}

/** A TCP proxy before a loopback port that can keep the target from hearing anything. */
export async function startHoldProxy(target: number): Promise<HoldProxy> {
  const incoming = new Set<Socket>();
  let held = false;
  const server = createServer((socket) => {
    const onward = connect(target, '127.0.0.1');
    incoming.add(socket);
    const end = () => {
      incoming.delete(socket);
      socket.destroy();
      onward.destroy();
    };
    for (const one of [socket, onward]) one.on('error', end).on('close', end);
    onward.pipe(socket);
    // Not a pipe: that would resume by itself what is held.
    socket.on('data', (chunk) => onward.write(chunk));
    if (held) socket.pause();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold() {
      held = true;
      for (const socket of incoming) socket.pause();
    },
    release() {
      held = false;
      for (const socket of incoming) socket.resume();
    },
    async close() {
      for (const socket of incoming) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
