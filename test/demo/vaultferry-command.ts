import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { baseEnv } from '../servers/child.ts';
import { projectRoot } from '../servers/root.ts';
import { type Corridor, configPath } from './corridor.ts';

/** Runs `vaultferry` with these arguments, as a person would; the lines of its stdout. Throws at another exit code. */
export async function ran({ folder, roto }: Corridor, args: readonly string[], code: number): Promise<string[]> {
  const env = { ...baseEnv(), ...roto.env, VAULTFERRY_CONFIG: configPath(folder) };
  const cli = join(projectRoot(), 'build/src/cli.js');
  const { exit, stdout, stderr } = await ending(process.execPath, [cli, ...args], env);
  if (exit === code) return stdout.trimEnd().split('\n');
  throw new Error(`vaultferry ${args.join(' ')} ended with ${exit} instead of ${code}:\n${stdout}${stderr}`);
}

const ending = (file: string, args: string[], env: NodeJS.ProcessEnv) =>
  new Promise<{ exit: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(file, args, { env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ exit: error === null ? 0 : (error.code ?? error.signal), stdout, stderr }),
    );
  });

/** The id of a secret's letter in what `dlq list` printed. Throws unless there is one, with this code. */
export function letterOf(list: readonly string[], secret: string, code: string): string {
  const row = list.map((line) => line.split(/\s+/)).find((cells) => cells.includes(secret) && cells.includes(code));
  if (row?.[0] === undefined || row[0] === '') throw new Error(`dlq list shows no letter ${code} of ${secret}`);
  return row[0];
}
