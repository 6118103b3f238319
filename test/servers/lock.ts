import { readlink, rm, symlink } from 'node:fs/promises';
import { until } from './until.ts';

/**
 * Runs `work` while no other process of this machine does. The lock is a symbolic link whose target is the holder's
 * pid: made in one step, so it never stands without its holder's name. One whose holder is gone is removed.
 * Two that remove a dead holder's lock at the same moment may both go on: `work` must stay correct then, only dearer.
 */
export async function withLock<T>(path: string, deadline: number, work: () => Promise<T>): Promise<T> {
  const what = `another install to end (if none runs, remove ${path})`;
  await until(() => take(path), { what, deadline, interval: 100 });
  try {
    return await work();
  } finally {
    if ((await holder(path)) === process.pid) await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await symlink(String(process.pid), path);
    return true;
  } catch {
    const pid = await holder(path);
    if (pid !== undefined && !isAlive(pid)) await rm(path, { force: true });
    return false;
  }
}

const holder = (path: string): Promise<number | undefined> => readlink(path).then(Number, () => undefined);

/** True also for a process of another user, which may not be signalled. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
