import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { pipInstall } from './pip.ts';
import { findPython } from './python.ts';
import { projectRoot } from './root.ts';

const DEADLINE = 15 * 60_000;

/**
 * Path of the `bin` folder of a virtual environment with the wheels that test/servers/NAME.requirements.txt pins,
 * installed at the first call and after a change of that file. Throws InstallError.
 */
export async function ensureWheels(name: string): Promise<string> {
  const folder = join(projectRoot(), '.servers');
  const requirements = join(projectRoot(), `test/servers/${name}.requirements.txt`);
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const target = join(folder, `${name}-${key}`);
  const bin = join(target, 'bin');
  // An interpreter that is gone leaves a dangling link, which does not exist.
  const isThere = () => existsSync(join(bin, 'python'));
  if (isThere()) return bin;
  mkdirSync(folder, { recursive: true });
  await withLock(join(folder, 'lock'), DEADLINE, async () => {
    if (isThere()) return;
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
  return bin;
}
