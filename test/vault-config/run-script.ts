import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { baseEnv } from '../servers/child.ts';
import { projectRoot } from '../servers/root.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of vault-config to its end, with nothing of this program's own environment but PATH and HOME. */
export function runScript(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  const script = join(projectRoot(), 'vault-config', name);
  return new Promise((resolve) => {
    execFile('sh', [script, ...args], { env: { ...baseEnv(), ...env } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
