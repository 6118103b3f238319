import { configCommand } from '../commands/config.ts';
import type { CommandLine } from '../commands/options.ts';
import { UsageError } from '../commands/usage-error.ts';
import { environment } from '../config/env.ts';
import { write, writeError } from './console.ts';

export async function run({ operands, file, json, roles }: CommandLine): Promise<number> {
  return configCommand({ action: configAction(operands), file, json, roles, env: environment(), write, writeError });
}

function configAction([action]: readonly string[]): 'check' | 'print' | 'schema' {
  if (action === 'check' || action === 'print' || action === 'schema') return action;
  throw new UsageError('config takes check, print or schema');
}
