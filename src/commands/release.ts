import { ReplicationError, toReplicationError } from '../errors.ts';
import { type OwnershipChange, releasing } from '../replicate/ownership.ts';
import { formatRef, parseRef, type SecretRef } from '../replicate/ref.ts';
import { TAG_RELEASED, TAG_SOURCE, TAG_VAULT } from '../replicate/tags.ts';
import { carryOut, type Handover, type OwnershipCommand, type Place, type Planned, plan } from './ownership.ts';

export interface ReleaseCommand extends OwnershipCommand {
  readonly vault: string;
}

/**
 * `vaultferry release REF… | --all`: lets copies go. They stay as they are, and nothing is written there until they are
 * adopted. With `all`, every copy of this vault, also those that no route covers any more. Asks nothing of Vault.
 */
export async function releaseCommand(command: ReleaseCommand): Promise<number> {
  const problems: string[] = [];
  const planned = command.all ? await planAll(command, problems) : await planNamed(command, problems);
  command.looking.end();
  return carryOut(command, { verb: 'Release', done: 'released', took }, planned, problems);
}

const took: Handover['took'] = (_, { tags }) => TAG_RELEASED in tags && !(TAG_VAULT in tags);

async function planNamed(command: ReleaseCommand, problems: string[]): Promise<Planned[]> {
  const { refs, routes, places } = command;
  const planned: Planned[] = [];
  for (const text of refs) {
    const ref = parseRef(text, routes.mounts);
    const targets = ref === undefined ? [] : routes.targets(ref);
    if (ref === undefined || targets.length === 0) {
      problems.push(`${text}: no route covers it; a REF is [namespace:]mount/path of a routed mount`);
      continue;
    }
    for (const { destination, secretName } of targets) {
      const subject = { ref: formatRef(ref), destination, secretName };
      planned.push(await plan(subject, () => changeOf(command, places.get(destination), secretName, ref)));
    }
  }
  return planned;
}

async function planAll(command: ReleaseCommand, problems: string[]): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const [destination, place] of command.places) {
    try {
      for await (const { name, tags } of place.copies()) {
        const subject = { ref: tags[TAG_SOURCE] ?? name, destination, secretName: name };
        planned.push(await plan(subject, () => changeOf(command, place, name, undefined)));
        command.looking.compared();
      }
    } catch (error) {
      const { code, message } = toReplicationError(error);
      problems.push(`the copies at ${destination} cannot be listed: ${message} (${code})`);
    }
  }
  return planned;
}

async function changeOf(
  { vault }: ReleaseCommand,
  place: Place | undefined,
  secretName: string,
  ref: SecretRef | undefined,
): Promise<OwnershipChange> {
  const state = await place?.describe(secretName);
  if (place === undefined || state === undefined) {
    throw new ReplicationError('not_owned', `there is no secret ${secretName}`);
  }
  return releasing(state, { vault, ref, versionTag: place.versionTag });
}
