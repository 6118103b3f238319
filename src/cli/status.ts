import { systemClock } from '../clock.ts';
import type { CommandLine } from '../commands/options.ts';
import { statusCommand } from '../commands/status.ts';
import { createLog } from '../log.ts';
import { createRoutes } from '../replicate/routes.ts';
import { openBothEnds } from '../serve/both-ends.ts';
import { logsToTerminal, meterOf, viewOfStdout, write, writeError } from './console.ts';
import { load } from './load.ts';

export async function run({ operands, file, json }: CommandLine): Promise<number> {
  const config = await load(file);
  const log = createLog('warn', logsToTerminal);
  const { source, ends, close } = await openBothEnds(config, log);
  const routes = createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret);
  const shown = { clock: systemClock, meter: meterOf(), view: viewOfStdout(), json, write, writeError };
  return statusCommand({ refs: operands, routes, source, ends, ...shown }).finally(close);
}
