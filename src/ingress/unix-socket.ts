import { chmod, chown, lstat, readFile, unlink } from 'node:fs/promises';
import net from 'node:net';

export interface UnixSocket {
  readonly path: string;
  readonly mode: number;
  /** Name or number. */
  readonly group?: string | undefined;
}

/**
 * Binds a unix socket that nobody else can connect to before it has its mode and group. A dead owner's file is removed,
 * a living one's is an error.
 * @param bind calls `listen` before it returns
 */
export async function bindUnix({ path, mode, group }: UnixSocket, bind: () => Promise<void>): Promise<void> {
  await removeStale(path);
  await bindPrivately(bind);
  if (group !== undefined) await chown(path, process.getuid?.() ?? 0, await groupId(group));
  await chmod(path, mode);
}

/** `listen` makes the file before it returns, under this mask. */
function bindPrivately(bind: () => Promise<void>): Promise<void> {
  const before = process.umask(0o177);
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}

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
