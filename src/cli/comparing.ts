import { type Clock, systemClock } from '../clock.ts';
import type { CommandLine } from '../commands/options.ts';
import type { PlanCommand } from '../commands/plan.ts';
import type { Config } from '../config/config.ts';
import { createLog } from '../log.ts';
import { createRoutes } from '../replicate/routes.ts';
import { openBothEnds } from '../serve/both-ends.ts';
import { interruption, logsToTerminal, meterOf, viewOfStdout, write, writeError } from './console.ts';
import { load } from './load.ts';

type Comparing = PlanCommand & { readonly clock: Clock };

/** Runs a command that compares both ends; it ends with 1 when it is interrupted. */
export async function comparing(
  { file, json, deep, all }: CommandLine,
  run: (command: Comparing, config: Config) => Promise<number>,
): Promise<number> {
  const config = await load(file);
  const log = createLog('warn', logsToTerminal);
  const { source, ends, close } = await openBothEnds(config, log);
  const signal = interruption();
  const command = {
    ...{ vault: config.vault.id, source, ends, clock: systemClock, signal, deep, all, json, write },
    routes: createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret),
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
