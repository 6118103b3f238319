import { adoptCommand } from '../commands/adopt.ts';
import type { CommandLine } from '../commands/options.ts';
import { checkOwnershipLine } from '../commands/ownership.ts';
import { createLog } from '../log.ts';
import { createRoutes } from '../replicate/routes.ts';
import { openBothEnds } from '../serve/both-ends.ts';
import { openPlaces } from '../serve/places.ts';
import { askOnTerminal, logsToTerminal, ownershipMeters, terminal, write, writeError } from './console.ts';
import { load } from './load.ts';

export async function run(line: CommandLine): Promise<number> {
  checkOwnershipLine('adopt', line, terminal.asks);
  const { operands: refs, all, yes, json } = line;
  const config = await load(line.file);
  const log = createLog('warn', logsToTerminal);
  const places = await openPlaces(config);
  const { source, ends, close } = await openBothEnds(config, log);
  const routes = createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret);
  const streams = { ask: askOnTerminal(), ...ownershipMeters('listing Vault'), json, write, writeError };
  return adoptCommand({ refs, all, yes, routes, places, source, ends, ...streams }).finally(close);
}
