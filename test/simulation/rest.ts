import { formatRef } from '../../src/replicate/ref.ts';
import { absenceTag, foreignTags, TAG_ABSENT, TAG_VERSION } from '../../src/replicate/tags.ts';
import { versionId } from '../../src/replicate/version-id.ts';
import { CURRENT, idAt, type Secret } from '../fakes/account.ts';
import { isPresent, type KvMount, type KvVersion } from '../fakes/kv.ts';
import { SECRETS, type SecretRef } from './schedule.ts';
import type { World } from './world.ts';

/**
 * Tags know no compare-and-swap: a worker whose message went to another may put the mark of the version that it saw on a newer
 * one. Such a mark allows no deletion, and the next sweep writes it anew.
 */
export const UNFIT = 'its mark does not fit';

/** How the copies differ from what Vault has, in words; empty at rest. */
export function differences(world: World, filter: (ref: SecretRef) => boolean = () => true): string[] {
  const conflicts = new Map<string, number>();
  return SECRETS.filter(filter).flatMap((ref) =>
    world.routes.targets(ref).flatMap(({ destination, secretName, route }) => {
      const mount = world.kv.state.mounts.get(ref.mount);
      if (mount === undefined) return []; // it proves nothing about its secrets
      const why = difference(world, ref, mount, world.accounts.get(destination)?.find(secretName), route);
      if (why === CONFLICT)
        return isTold(world, ref, destination, conflicts) ? [] : [`${formatRef(ref)} in ${destination}: ${why}`];
      return why === undefined ? [] : [`${formatRef(ref)} in ${destination}: ${why}`];
    }),
  );
}

const CONFLICT = 'the conflict was not reported';

/** By a worker that refused it, or in a sweep's count. */
function isTold(world: World, ref: SecretRef, destination: string, before: Map<string, number>): boolean {
  if (world.refusals.has(`${formatRef(ref)} ${destination} not_owned`)) return true;
  const count = (before.get(destination) ?? 0) + 1;
  before.set(destination, count);
  return (world.conflicts.get(destination) ?? 0) >= count;
}

function difference(
  world: World,
  ref: SecretRef,
  mount: KvMount,
  copy: Secret | undefined,
  route: string,
): string | undefined {
  const latest = world.kv.latest(ref.mount, ref.path);
  const present = isPresent(latest, world.scheduler.wall());
  if (copy === undefined) return present ? 'there is no copy' : undefined;
  const tags = Object.fromEntries(copy.tags);
  const owner = { vault: world.config.vault.id, route, ref, mount };
  if (foreignTags(tags, owner).length > 0) {
    return present ? CONFLICT : undefined;
  }
  if (copy.rotationEnabled) return undefined;
  if (!present) return absentDifference(copy, latest);
  return mount.kv === 1 ? plainDifference(copy, latest) : presentDifference(ref, copy, latest);
}

/** KV v1: the values alone tell. */
function plainDifference(copy: Secret, latest: KvVersion): string | undefined {
  if (copy.deletedAt !== undefined) return 'the copy is scheduled for deletion';
  const current = idAt(copy, CURRENT);
  if (current === undefined || copy.versions.get(current)?.value !== latest.value) return 'the value differs';
  return copy.tags.has(TAG_ABSENT) ? 'it is marked as absent' : undefined;
}

function presentDifference(ref: SecretRef, copy: Secret, latest: KvVersion): string | undefined {
  if (copy.deletedAt !== undefined) return 'the copy is scheduled for deletion';
  const current = idAt(copy, CURRENT);
  const wanted = versionId(ref, latest);
  if (current !== wanted) return `AWSCURRENT is at ${current}, not at ${wanted}`;
  if (copy.versions.get(wanted)?.value !== latest.value) return 'the value differs';
  if (copy.tags.has(TAG_ABSENT)) return 'it is marked as absent';
  return copy.tags.get(TAG_VERSION) === String(latest.version) ? undefined : 'the version tag differs';
}

function absentDifference(copy: Secret, latest: KvVersion | undefined): string | undefined {
  if (copy.deletedAt !== undefined) return undefined;
  const why = latest === undefined ? 'purged' : latest.destroyed ? 'destroyed' : latest.deletionTime;
  const mark = copy.tags.get(TAG_ABSENT);
  if (mark === undefined) return 'it is not marked as absent';
  const fits = absenceTag(idAt(copy, CURRENT) ?? '-', why);
  return mark.slice(mark.indexOf(' ') + 1) === fits ? undefined : `${UNFIT}: ${mark}, not ${fits}`;
}

/** Calls that change something. */
const WRITES = [
  ...['CreateSecret', 'PutSecretValue', 'UpdateSecretVersionStage', 'RestoreSecret', 'DeleteSecret'],
  ...['TagResource', 'UntagResource'],
];
/**
 * What one look at one copy that is as it should be may cost. Of Vault: the value and the mount's entry, both once more
 * where the mount has another KV version than it had, and the entry after an absence.
 */
const LOOK = { DescribeSecret: 1, GetSecretValue: 1, vault: 5 } as const;

export const checkRest = {
  /** What a sweep put on the queue: nothing but KV v1, of which a listing tells too little. */
  found: ({ kv }: World, sent: readonly { readonly body: string }[]): string[] =>
    sent.flatMap(({ body }) => {
      const { kind, mount = '', path = '' } = JSON.parse(body) as { kind: string; mount?: string; path?: string };
      return kind === 'change' && kv.state.mounts.get(mount)?.kv !== 1 ? [`${mount}/${path}`] : [];
    }),
  /**
   * Promise 7: so many looks made so many calls `of` a kind. A timer's sweep may have come between, and a message that was
   * given back, since a call was slow, is looked at once more.
   */
  looks({ watch }: World, looks: number, made: (of: string) => number): void {
    const writes = WRITES.filter((of) => made(of) > 0);
    if (writes.length > 0) watch.violate(`promise 8: looks at rest wrote: ${writes.join(', ')}`);
    if (made('ListSecrets') > 0) return;
    for (const [of, most] of Object.entries(LOOK))
      if (made(of) > (looks + made('hide')) * most)
        watch.violate(`promise 7: ${looks} looks at rest made ${made(of)} calls of ${of}`);
  },
};
