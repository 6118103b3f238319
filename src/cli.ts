#!/usr/bin/env node
import './small-heap.ts';
import { readFile } from 'node:fs/promises';
import { write, writeError } from './cli/console.ts';
import { type CommandLine, readCommandLine } from './commands/options.ts';
import { printable } from './commands/table.ts';
import { UsageError } from './commands/usage-error.ts';
import { silenceSdk } from './config/env.ts';
import { ConfigError, formatProblem } from './config/errors.ts';
import { ReplicationError } from './errors.ts';
import { HELP, USAGE } from './help.ts';

interface Command {
  run(line: CommandLine): Promise<number>;
}

/** Each command loads what it needs and no more: half of the time and the memory of a short one is its libraries. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: () => import('./cli/serve.ts'),
  plan: () => import('./cli/plan.ts'),
  sweep: () => import('./cli/sweep.ts'),
  replicate: () => import('./cli/replicate.ts'),
  status: () => import('./cli/status.ts'),
  adopt: () => import('./cli/adopt.ts'),
  release: () => import('./cli/release.ts'),
  doctor: () => import('./cli/doctor.ts'),
  policy: () => import('./cli/policy.ts'),
  config: () => import('./cli/config.ts'),
  dlq: () => import('./cli/dlq.ts'),
};

async function main(args: string[]): Promise<number> {
  const line = readCommandLine(args);
  const { command, operands, help } = line;
  if (line.version) {
    write(`${await version()}\n`);
    return 0;
  }
  if (help || command === 'help') {
    write(HELP[(command === 'help' ? operands[0] : command) ?? ''] ?? USAGE);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, command ?? '') ? COMMANDS[command ?? ''] : undefined;
  if (load !== undefined) return (await load()).run(line);
  throw new UsageError(command === undefined ? 'a command is missing' : `there is no command "${command}"`);
}

async function version(): Promise<string> {
  const file = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(file) as { version?: unknown }).version);
}

/** What a person is told; the rest is our fault, and its text is not trusted to hold no value. */
function explain(error: unknown): { text: string; code: number } {
  if (error instanceof UsageError) return { text: `${printable(error.message)}\nSee vaultferry --help`, code: 2 };
  if (error instanceof ConfigError)
    return { text: error.problems.map((one) => printable(formatProblem(one))).join('\n'), code: 2 };
  if (error instanceof ReplicationError) return { text: `${printable(error.message)} (${error.code})`, code: 1 };
  return { text: `an unexpected ${error instanceof Error ? error.name : 'error'}: please report it`, code: 1 };
}

// Whoever reads may have read enough, as `head` has: the rest is not written, and the command ends as it would.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
silenceSdk();
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const { text, code } = explain(error);
  writeError(`vaultferry: ${text}\n`);
  return code;
});
