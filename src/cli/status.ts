import { systemClock } from '../clock.ts';
import type { CommandLine } from '../commands/options.ts';
import { statusCommand } from '../commands/status.ts';
import { meterOf, viewOfStdout, write, writeError } from './console.ts';
import { load } from './load.ts';
import { openToLook } from './open-to-look.ts';

export async function run({ operands, file, json }: CommandLine): Promise<number> {
  const config = await load(file);
  const { source, ends, routes, close } = await openToLook(config);
  const shown = { clock: systemClock, meter: meterOf(), view: viewOfStdout(), json, write, writeError };
  return statusCommand({ refs: operands, routes, source, ends, ...shown }).finally(close);
}
