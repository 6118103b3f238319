import { adoptCommand } from '../commands/adopt.ts';
import type { CommandLine } from '../commands/options.ts';
import { checkOwnershipLine } from '../commands/ownership.ts';
import { openPlaces } from '../serve/places.ts';
import { askOnTerminal, ownershipMeters, terminal, write, writeError } from './console.ts';
import { load } from './load.ts';
import { openToLook } from './open-to-look.ts';

export async function run(line: CommandLine): Promise<number> {
  checkOwnershipLine('adopt', line, terminal.asks);
  const { operands: refs, all, yes, json } = line;
  const config = await load(line.file);
  const places = await openPlaces(config);
  const { source, ends, routes, close } = await openToLook(config);
  const streams = { ask: askOnTerminal(), ...ownershipMeters('listing Vault'), json, write, writeError };
  return adoptCommand({ refs, all, yes, routes, places, source, ends, ...streams }).finally(close);
}
