import type { CommandLine } from '../commands/options.ts';
import { planCommand } from '../commands/plan.ts';
import { UsageError } from '../commands/usage-error.ts';
import { comparing } from './comparing.ts';

export async function run(line: CommandLine): Promise<number> {
  if (line.operands.length > 0) throw new UsageError(`plan takes no operand, but got "${line.operands[0]}"`);
  return comparing(line, (command) => planCommand(command));
}
