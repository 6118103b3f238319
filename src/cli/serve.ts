import type { CommandLine } from '../commands/options.ts';
import { serveCommand } from '../commands/serve.ts';
import { UsageError } from '../commands/usage-error.ts';
import { environment } from '../config/env.ts';
import { growYoung } from '../small-heap.ts';
import { load } from './load.ts';

export async function run({ operands, file, roles }: CommandLine): Promise<number> {
  if (operands.length > 0) throw new UsageError(`serve takes no operand, but got "${operands[0]}"`);
  growYoung();
  return serveCommand({ config: await load(file), roles, env: environment(), load: () => load(file) });
}
