import { type Clock, systemClock } from '../clock.ts';
import type { CommandLine } from '../commands/options.ts';
import type { PlanCommand } from '../commands/plan.ts';
import type { Config } from '../config/config.ts';
import { interruption, meterOf, viewOfStdout, write, writeError } from './console.ts';
import { load } from './load.ts';
import { openToLook } from './open-to-look.ts';

type Comparing = PlanCommand & { readonly clock: Clock };

/** Runs a command that compares both ends; it ends with 1 when it is interrupted. */
export async function comparing(
  { file, json, deep, all }: CommandLine,
  run: (command: Comparing, config: Config) => Promise<number>,
): Promise<number> {
  const config = await load(file);
  const { source, ends, routes, close } = await openToLook(config);
  const signal = interruption();
  const command = {
    ...{ vault: config.vault.id, source, ends, routes, clock: systemClock, signal, deep, all, json, write },
    meter: meterOf(),
    view: viewOfStdout(),
    writeError,
  };
  try {
    return await run(command, config);
  } catch (error) {
    if (!signal.aborted) throw error;
    writeError('interrupted: not everything was compared; what is on the queue stays there\n');
    return 1;
  } finally {
    await close();
  }
}
