import type { CommandLine } from '../commands/options.ts';
import { checkOwnershipLine } from '../commands/ownership.ts';
import { releaseCommand } from '../commands/release.ts';
import { createRoutes } from '../replicate/routes.ts';
import { openPlaces } from '../serve/places.ts';
import { askOnTerminal, ownershipMeters, terminal, write, writeError } from './console.ts';
import { load } from './load.ts';

export async function run(line: CommandLine): Promise<number> {
  checkOwnershipLine('release', line, terminal.asks);
  const { operands: refs, all, yes, json } = line;
  const config = await load(line.file);
  const places = await openPlaces(config);
  const routes = createRoutes(config.routes, config.destinations);
  const streams = { ask: askOnTerminal(), ...ownershipMeters('listing copies'), json, write, writeError };
  return releaseCommand({ refs, all, yes, routes, places, vault: config.vault.id, ...streams });
}
