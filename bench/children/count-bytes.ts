import net from 'node:net';
import { parentPort } from '../child.ts';

/** The floor on this runtime: a socket reader that counts bytes and does nothing else. */
export type Address = { readonly port: number } | { readonly path: string };

parentPort<Address, { readonly port: number; readonly bytes: number }>(async (address) => {
  let bytes = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
  });
  await new Promise<void>((resolve) => server.listen({ ...address, host: '127.0.0.1' }, resolve));
  const bound = server.address();
  return { port: typeof bound === 'object' && bound !== null ? bound.port : 0, bytes };
});
