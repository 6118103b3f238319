import type { Config } from '../config/config.ts';
import { createLog } from '../log.ts';
import { createRoutes } from '../replicate/routes.ts';
import { openBothEnds } from '../serve/both-ends.ts';
import { logsToTerminal } from './console.ts';

/** Both ends and the routes between them, for commands that look at all of it. Throws a ConfigError. */
export async function openToLook(config: Config) {
  const ends = await openBothEnds(config, createLog('warn', logsToTerminal));
  return { ...ends, routes: createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret) };
}
