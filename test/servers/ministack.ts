import { join } from 'node:path';
import { baseEnv, type Exit, folderFor, startChild } from './child.ts';
import { onFreePort } from './ports.ts';
import { type AwsClientOptions, clientOptions, createQueues, type Queues } from './roto.ts';
import { ensureWheels } from './wheels.ts';

export interface MiniStack {
  readonly endpoint: string;
  readonly client: AwsClientOptions;
  /** The FIFO queues `<name>.fifo` and `<name>-dlq.fifo` with the attributes that the worker wants. */
  createQueues(queues: { readonly name: string }): Promise<Queues>;
  stop(): Promise<Exit>;
}

/**
 * Starts MiniStack, for its SQS alone: it remembers a deduplication id for five minutes, also when its message is
 * deleted, as AWS does and roto does not. Installed at the first call; the demo and most tests do without.
 */
export async function startMiniStack(): Promise<MiniStack> {
  const [bin, folder] = await Promise.all([ensureWheels('ministack'), folderFor('ministack')]);
  const { port, child } = await onFreePort(async (free) => ({
    port: free,
    child: await startChild({
      name: 'ministack',
      command: join(bin, 'python'),
      args: ['-m', 'ministack'],
      env: { ...baseEnv(), BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(free), PYTHONDONTWRITEBYTECODE: '1' },
      folder,
      // Its own word that it listens: an answer alone could be another program's, which took the port.
      ready: ({ stdout, stderr }) => [stdout, stderr].some((log) => log.lines().some(isListening)),
      deadline: 30_000,
    }),
  }));
  const client = clientOptions(`http://127.0.0.1:${port}`);
  return {
    endpoint: client.endpoint,
    client,
    createQueues: ({ name }) => createQueues(client, name),
    stop: () => child.stop(),
  };
}

const isListening = (line: string): boolean => line.includes('Running on http://127.0.0.1:');
