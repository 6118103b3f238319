import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { Config } from '../config/config.ts';
import { ConfigError, formatProblem, type Problem } from '../config/errors.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
import { effectiveConfig } from '../config/print.ts';
import { checkRoles, type Role } from '../config/roles.ts';

export interface ConfigCommand {
  readonly action: 'check' | 'print' | 'schema';
  readonly file?: string | undefined;
  readonly json: boolean;
  /** The roles that `check` checks for. */
  readonly roles: ReadonlySet<Role>;
  readonly env: NodeJS.ProcessEnv;
  /** Takes whole lines of the result. */
  readonly write: (text: string) => void;
  /** Takes whole lines for people. */
  readonly writeError: (text: string) => void;
}

/** `vaultferry config check | print | schema`. Returns the exit code: 0, or 2 if the configuration is not valid. */
export async function configCommand(command: ConfigCommand): Promise<number> {
  if (command.action === 'schema') {
    command.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return 0;
  }
  const loaded = await load(command);
  if ('problems' in loaded) return refuse(command, loaded.problems);
  if (command.action === 'print') return print(command, loaded);
  const problems = checkRoles(loaded, command.roles);
  return problems.length > 0 ? refuse(command, problems) : accept(command, loaded);
}

async function load({ file, env }: ConfigCommand): Promise<Config | ConfigError> {
  try {
    return await loadConfig({ file, env, readFile: (path) => readFile(path, 'utf8') });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function refuse({ action, json, write, writeError }: ConfigCommand, problems: readonly Problem[]): number {
  if (action === 'check' && json) write(`${JSON.stringify({ valid: false, problems })}\n`);
  else for (const problem of problems) writeError(`${formatProblem(problem)}\n`);
  return 2;
}

function accept({ json, write }: ConfigCommand, { routes, destinations }: Config): number {
  const counted = `${count(routes, 'route')}, ${count(Object.keys(destinations), 'destination')}`;
  write(json ? '{"valid":true}\n' : `configuration is valid: ${counted}\n`);
  return 0;
}

const count = ({ length }: readonly unknown[], noun: string): string => `${length} ${noun}${length === 1 ? '' : 's'}`;

function print({ json, write }: ConfigCommand, config: Config): number {
  const tree = effectiveConfig(config);
  write(json ? `${JSON.stringify(tree, null, 2)}\n` : stringify(tree));
  return 0;
}
