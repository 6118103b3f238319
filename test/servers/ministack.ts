import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { baseEnv, type Exit, folderFor, startChild } from './child.ts';
import { withLock } from './lock.ts';
import { pipInstall } from './pip.ts';
import { onFreePort } from './ports.ts';
import { findPython } from './python.ts';
import { projectRoot } from './root.ts';
import { type AwsClientOptions, clientOptions, createQueues, type Queues } from './roto.ts';

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
  const [python, folder] = await Promise.all([ensureMiniStack(), folderFor('ministack')]);
  const { port, child } = await onFreePort(async (free) => ({
    port: free,
    child: await startChild({
      name: 'ministack',
      command: python,
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

/** Path of the Python in whose virtual environment MiniStack stands. Throws InstallError. */
async function ensureMiniStack(): Promise<string> {
  const folder = join(projectRoot(), '.servers');
  const requirements = join(projectRoot(), 'test/servers/ministack.requirements.txt');
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const target = join(folder, `ministack-${key}`);
  const python = join(target, 'bin/python');
  if (existsSync(python)) return python;
  mkdirSync(folder, { recursive: true });
  await withLock(join(folder, 'lock'), 15 * 60_000, async () => {
    if (existsSync(python)) return;
    const building = await mkdtemp(join(folder, `building-${process.pid}-`));
    try {
      await pipInstall(await findPython(process.env), building, { folder, requirements, env: process.env });
      // Whole or not there at all. A broken one, whose interpreter is gone, stands in the way of the new one.
      rmSync(target, { recursive: true, force: true });
      renameSync(building, target);
    } finally {
      rmSync(building, { recursive: true, force: true });
    }
  });
  return python;
}
