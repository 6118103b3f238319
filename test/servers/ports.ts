import { once } from 'node:events';
import { createServer } from 'node:net';

/** A loopback TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no TCP port.');
  return address.port;
}

const TAKEN = /address (is )?already in use|EADDRINUSE/i;

/**
 * Runs `start` with a free port. Between the look and the bind another program may take it,
 * so a start that fails for a taken port is tried again with another, three times in all.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>, tries = 3): Promise<T> {
  try {
    return await start(await freePort());
  } catch (error) {
    if (tries <= 1 || !(error instanceof Error && TAKEN.test(error.message))) throw error;
    return onFreePort(start, tries - 1);
  }
}
