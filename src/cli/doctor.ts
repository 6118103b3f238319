import { systemClock } from '../clock.ts';
import { doctorCommand } from '../commands/doctor.ts';
import type { CommandLine } from '../commands/options.ts';
import { UsageError } from '../commands/usage-error.ts';
import { environment } from '../config/env.ts';
import { createLog } from '../log.ts';
import { isTerminal, write } from './console.ts';
import { load } from './load.ts';

export async function run({ operands, file, json }: CommandLine): Promise<number> {
  if (operands.length > 0) throw new UsageError(`doctor takes no operand, but got "${operands[0]}"`);
  const config = await load(file);
  // What would be logged stands in the findings.
  const log = createLog('silent', false);
  return doctorCommand({ config, env: environment(), clock: systemClock, log, json, terminal: isTerminal, write });
}
