import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { baseEnv } from '../servers/child.ts';
import { ensureServers } from '../servers/install.ts';
import { projectRoot } from '../servers/root.ts';
import { ensureWheels } from '../servers/wheels.ts';
import type { Run } from './ferries.ts';

/** A runbook of docs/: its blocks by the heading that they stand under, in the order of the page. */
export interface Runbook {
  /** The first block of YAML: what the page says of the configuration. */
  readonly yaml: string;
  readonly blocks: ReadonlyMap<string, readonly string[]>;
}

export async function readRunbook(name: string): Promise<Runbook> {
  const page = await readFile(join(projectRoot(), 'docs', name), 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const sections = page.split(/^## /m).map((section) => {
    const heading = section.slice(0, section.indexOf('\n'));
    return [heading, [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)] as const;
  });
  return { yaml, blocks: new Map(sections.filter(([, blocks]) => blocks.length > 0)) };
}

/** A shell as an operator has it: `vaultferry`, `aws` and `vault` on its PATH, and a folder of its own. */
export interface OperatorShell {
  /** Runs the block, which must be there; the exit code is its last command's. */
  run(block: string | undefined): Promise<Run>;
  /** All that was printed so far. */
  printed(): readonly string[];
  end(): Promise<void>;
}

/** `env` is what the programs need to reach the servers, the configuration among it. */
export async function openShell(env: NodeJS.ProcessEnv): Promise<OperatorShell> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultferry-shell-'));
  const [{ bao }, python] = await Promise.all([ensureServers(), ensureWheels('awscli')]);
  await symlink(bao, join(folder, 'vault'));
  await program(folder, 'vaultferry', [process.execPath, join(projectRoot(), 'build/src/cli.js')]);
  await program(folder, 'aws', [join(python, 'python'), '-m', 'awscli']);
  const base = baseEnv();
  const region = env['AWS_REGION']; // version 1 of the CLI knows the older name alone
  const all = { ...base, ...env, PATH: `${folder}:${base['PATH']}`, HOME: folder, AWS_DEFAULT_REGION: region };
  const printed: string[] = [];
  return {
    async run(block) {
      if (block === undefined) throw new Error('the runbook has no such block');
      const result = await inShell(block, folder, all);
      printed.push(result.stdout, result.stderr);
      return result;
    },
    printed: () => printed,
    end: () => rm(folder, { recursive: true, force: true }),
  };
}

async function program(folder: string, name: string, command: readonly string[]): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`);
  await chmod(path, 0o755);
}

async function inShell(block: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const child = spawn('sh', ['-uc', block], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
