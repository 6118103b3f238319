import { execFile } from 'node:child_process';
import { projectRoot } from '../servers/root.ts';

/** A container of the compose file, as `docker compose ps` tells of it. */
export interface Container {
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
  readonly Publishers: readonly { readonly URL: string; readonly PublishedPort: number }[] | null;
}

/** What `docker compose ARGS` wrote to stdout. Throws at an exit code other than `code`, 0 unless told. */
export type Compose = (args: readonly string[], code?: number) => Promise<string>;

/** `docker compose` on the checkout's file, with these profiles. */
export const composeWith =
  (profile: string): Compose =>
  async (args, code = 0) => {
    const { exit, stdout, stderr } = await ending('docker', ['compose', '--profile', profile, ...args]);
    if (exit === code) return stdout;
    if (exit === 'ENOENT') throw new Error('there is no program "docker": install Docker with its compose plugin');
    // The arguments may hold what was written to Vault.
    throw new Error(`docker compose ${args.slice(0, 2).join(' ')} … ended with ${exit}:\n${stderr.trimEnd()}`);
  };

const ending = (file: string, args: readonly string[]) =>
  new Promise<{ exit: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(file, args, { cwd: projectRoot(), timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ exit: error === null ? 0 : (error.code ?? error.signal), stdout, stderr }),
    );
  });

/** Every container, those that have ended too: one JSON object a line. */
export async function containers(compose: Compose): Promise<readonly Container[]> {
  const text = await compose(['ps', '--all', '--format', 'json']);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Container);
}
