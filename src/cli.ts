#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { endpointChosen, sqsClient } from './aws/clients.ts';
import { configCommand } from './commands/config.ts';
import { replicateCommand } from './commands/replicate.ts';
import { serveCommand } from './commands/serve.ts';
import { UsageError } from './commands/usage-error.ts';
import { environment, silenceSdk } from './config/env.ts';
import { ConfigError, formatProblem } from './config/errors.ts';
import { loadConfig } from './config/load.ts';
import type { Role } from './config/roles.ts';
import { ReplicationError } from './errors.ts';
import { HELP, USAGE } from './help.ts';
import { createPublisher } from './queue/sqs.ts';
import { createRoutes } from './replicate/routes.ts';

const ROLES: readonly Role[] = ['ingress', 'worker'];
const write = (text: string) => process.stdout.write(text);
const writeError = (text: string) => process.stderr.write(text);

interface Arguments {
  readonly command: string | undefined;
  readonly operands: readonly string[];
  readonly file: string | undefined;
  readonly json: boolean;
  readonly roles: ReadonlySet<Role>;
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        json: { type: 'boolean', default: false },
        role: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'the arguments cannot be read');
  }
}

function readRoles(names: readonly string[]): ReadonlySet<Role> {
  const unknown = names.find((name) => !ROLES.some((role) => role === name));
  if (unknown !== undefined) throw new UsageError(`--role ${unknown}: expected ingress or worker`);
  return new Set(names.length === 0 ? ROLES : ROLES.filter((role) => names.includes(role)));
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = readArguments(args);
  const [command, ...operands] = positionals;
  if (values.version) {
    write(`${await version()}\n`);
    return 0;
  }
  if (values.help || command === 'help') {
    write(HELP[(command === 'help' ? operands[0] : command) ?? ''] ?? USAGE);
    return 0;
  }
  return run({ command, operands, file: values.config, json: values.json, roles: readRoles(values.role) });
}

async function run({ command, operands, file, json, roles }: Arguments): Promise<number> {
  const env = environment();
  const load = () => loadConfig({ file, env, readFile: (path) => readFile(path, 'utf8') });
  switch (command) {
    case 'serve':
      if (operands.length > 0) throw new UsageError(`serve takes no operand, but got "${operands[0]}"`);
      return serveCommand({ config: await load(), roles, env });
    case 'replicate': {
      if (operands.length === 0) throw new UsageError('replicate needs at least one REF');
      const config = await load();
      const publisher = createPublisher(sqsClient(endpointChosen(env)), config.queue.url);
      const routes = createRoutes(config.routes, config.destinations);
      return replicateCommand({ refs: operands, vault: config.vault.id, routes, publisher, json, write, writeError });
    }
    case 'config':
      return configCommand({ action: configAction(operands), file, json, roles, env, write, writeError });
    default:
      throw new UsageError(command === undefined ? 'a command is missing' : `there is no command "${command}"`);
  }
}

function configAction([action]: readonly string[]): 'check' | 'print' | 'schema' {
  if (action === 'check' || action === 'print' || action === 'schema') return action;
  throw new UsageError('config takes check, print or schema');
}

async function version(): Promise<string> {
  const file = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(file) as { version?: unknown }).version);
}

/** What a person is told; the rest is our fault, and its text is not trusted to hold no value. */
function explain(error: unknown): { text: string; code: number } {
  if (error instanceof UsageError) return { text: `${error.message}\nSee vaultferry --help`, code: 2 };
  if (error instanceof ConfigError) return { text: error.problems.map(formatProblem).join('\n'), code: 2 };
  if (error instanceof ReplicationError) return { text: `${error.message} (${error.code})`, code: 1 };
  return { text: `an unexpected ${error instanceof Error ? error.name : 'error'}: please report it`, code: 1 };
}

silenceSdk();
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const { text, code } = explain(error);
  writeError(`vaultferry: ${text}\n`);
  return code;
});
