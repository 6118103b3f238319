import type { FailureCode } from '../errors.ts';
import type { Sensitive } from '../sensitive.ts';
import { currentId, type DestinationState, type TagChange } from './destination.ts';
import { formatRef } from './ref.ts';
import { type Absent, isVersioned, newestVersion, type Present, type SourceState } from './source.ts';
import {
  absenceTag,
  foreignTags,
  missingTags,
  type Owner,
  sourceTag,
  TAG_ABSENT,
  TAG_KEEPS,
  TAG_RELEASED,
  TAG_SOURCE,
  TAG_VAULT,
  TAG_VERSION,
  type Tags,
} from './tags.ts';
import { isOlder, type Moment, momentOf, momentOfId, putId, versionId } from './version-id.ts';

/** SecretString's limit in bytes of UTF-8 (Secrets Manager quotas). */
const MAX_VALUE_BYTES = 65_536;

/** All that a decision stands on; nothing else may be asked. */
export interface Look {
  readonly source: SourceState;
  readonly destination: DestinationState | undefined;
  readonly owner: Owner;
  readonly secretName: string;
  /** Tags that a present copy must carry beside its ownership: the destination's own and the version. */
  readonly tags: Tags;
  /** The newest version that an event told of. */
  readonly hint: Moment | undefined;
  /** An event that told of no version came after the hint's: it may have been a purge. */
  readonly hintSuperseded?: boolean;
  /** The destination's `maxSecrets`, where that many copies are there and this one is not. */
  readonly fullAt?: number | undefined;
  /** Older answers than were seen before have stood long enough to be believed. */
  readonly acceptStale: boolean;
  /** The text at AWSCURRENT, where only it can tell whether the copy has what Vault has. */
  readonly currentValue?: Sensitive<string> | undefined;
  /** RFC 3339, UTC. */
  readonly now: string;
  /** 24 hex digits for the id of a put that has no version to name. */
  readonly fresh: string;
}

export type Action =
  | { readonly kind: 'create'; readonly source: Present; readonly versionId: string }
  | ({ readonly kind: 'put'; readonly source: Present } & Promotion)
  | ({ readonly kind: 'promote' } & Promotion)
  | { readonly kind: 'restore' | 'keep' }
  | { readonly kind: 'mark' | 'unmark' | 'retag'; readonly tags: TagChange }
  | { readonly kind: 'refuse' | 'hold'; readonly code: FailureCode; readonly text: string };

export interface Promotion {
  readonly versionId: string;
  /** The version id seen at AWSCURRENT. */
  readonly from: string | undefined;
  /** To be set right after the promotion, off the lag path. */
  readonly tags: TagChange;
}

/**
 * What to do about one secret: pure, total, and the only place where policy lives.
 * Asked in this order: is it ours, is it there, is the answer old, is it the same.
 */
export function decide(look: Look): Action {
  const { source, destination, owner } = look;
  if (destination === undefined) return firstSight(look);
  if (TAG_RELEASED in destination.tags) return refuseReleased(look);
  const foreign = foreignTags(destination.tags, owner);
  if (foreign.length > 0) return refuseForeign(look, destination, foreign);
  if (destination.rotationEnabled || destination.owningService !== undefined) return refuseRotated(look, destination);
  if (source.kind === 'absent') return absent(look, source, destination);
  return behindCurrent(look) ?? present(look, source, destination);
}

/** Vault's answer is older than the version at AWSCURRENT. A purge and KV v1 name no version and are never older. */
export function isBehindCurrent({ source, destination }: Look): boolean {
  const id = destination === undefined ? undefined : currentId(destination);
  const seen = id === undefined ? undefined : momentOfId(id);
  const answered = answeredMoment(source);
  return seen !== undefined && answered !== undefined && isOlder(answered, seen);
}

/**
 * Vault's answer is older than what an event told of. What it says may be written where it is news, but the event is
 * not done with. A purge counts as older unless a later event told of no version, as a purge's own does: it is then an
 * answer from before the write, of a node that has not seen it yet. KV v1 has no versions to be waited for.
 */
export function isBehindHint({ source, hint, hintSuperseded = false }: Look): boolean {
  if (hint === undefined || source.mount.kv === 1) return false;
  const answered = answeredMoment(source);
  return answered === undefined ? !hintSuperseded : isOlder(answered, hint);
}

function answeredMoment(source: SourceState): Moment | undefined {
  const version = newestVersion(source);
  return version === undefined ? undefined : momentOf(version);
}

function firstSight(look: Look): Action {
  const { source } = look;
  if (source.kind === 'absent') return absentBehindHint(look) ?? { kind: 'keep' };
  return tooLarge(look, source) ?? noRoom(look) ?? { kind: 'create', source, versionId: idFor(look, source) };
}

function present(look: Look, source: Present, destination: DestinationState): Action {
  if (destination.scheduledForDeletion) return { kind: 'restore' };
  const id = idFor(look, source);
  const from = currentId(destination);
  const tags: TagChange = {
    set: missingTags(wantedTags(look.tags, destination.tags), destination.tags),
    remove: TAG_ABSENT in destination.tags ? [TAG_ABSENT] : [],
  };
  if (from === id || hasValue(look, source)) return sameVersion(tags);
  const promotion = { versionId: id, from, tags };
  if (destination.stages.has(id)) return { kind: 'promote', ...promotion };
  return tooLarge(look, source) ?? { kind: 'put', source, ...promotion };
}

/** The `version` that an adopted secret had before is somebody else's. */
const wantedTags = (tags: Tags, there: Tags): Tags =>
  there[TAG_KEEPS] === TAG_VERSION
    ? Object.fromEntries(Object.entries(tags).filter(([key]) => key !== TAG_VERSION))
    : tags;

const idFor = ({ owner, now, fresh }: Look, source: Present): string =>
  isVersioned(source) ? versionId(owner.ref, source) : putId(now, fresh);

/** KV v1 has no version that an id could name, so the values are compared. */
const hasValue = ({ currentValue }: Look, source: Present): boolean =>
  !isVersioned(source) && currentValue?.reveal() === source.value.reveal();

function sameVersion(tags: TagChange): Action {
  if (tags.remove.length > 0) return { kind: 'unmark', tags };
  return Object.keys(tags.set).length > 0 ? { kind: 'retag', tags } : { kind: 'keep' };
}

/**
 * A mark counts only while all of it still fits: otherwise the absence is a new one, and so is its first sight. What is
 * marked already is kept however old the answer is, since that was believed before: a restored snapshot stays older.
 */
function absent(look: Look, source: Absent, destination: DestinationState): Action {
  const behind = absentBehindHint(look);
  if (behind !== undefined) return behind;
  if (destination.scheduledForDeletion) return { kind: 'keep' };
  const why = source.why === 'deleted' ? (source.deletionTime ?? 'deleted') : source.why;
  const fits = absenceTag(currentId(destination) ?? '-', why);
  const mark = destination.tags[TAG_ABSENT];
  if (mark !== undefined && mark.slice(mark.indexOf(' ') + 1) === fits) return { kind: 'keep' };
  return behindCurrent(look) ?? { kind: 'mark', tags: { set: { [TAG_ABSENT]: `${look.now} ${fits}` }, remove: [] } };
}

const behindCurrent = (look: Look): Action | undefined =>
  isBehindCurrent(look) && !look.acceptStale ? holdStale(look) : undefined;

const absentBehindHint = (look: Look): Action | undefined =>
  isBehindHint(look) && !look.acceptStale ? holdStale(look) : undefined;

/**
 * A secret that is nobody's or somebody else's is a conflict only while we would write there. One that carries our
 * vault and ref under another mount or route is a conflict always: its absence here proves nothing about it.
 */
function refuseForeign({ source, owner, secretName }: Look, { tags }: DestinationState, foreign: string[]): Action {
  const related = tags[TAG_VAULT] === owner.vault && tags[TAG_SOURCE] === sourceTag(owner.ref);
  if (source.kind === 'absent' && !related) return { kind: 'keep' };
  const text = `the secret ${secretName} exists and is not this copy of ${formatRef(owner.ref)}: of its tags, ${foreign.join(', ')} are missing or name another owner; take it over with vaultferry adopt, rename or delete it, or exclude the path from the route`;
  return { kind: 'refuse', code: 'not_owned', text };
}

/** An operator let it go, in whole or in part: even a copy that still has our tags is written no more. */
function refuseReleased({ source, owner, secretName }: Look): Action {
  if (source.kind === 'absent') return { kind: 'keep' };
  const text = `the secret ${secretName} was released, so that nothing is written there: vaultferry adopt ${formatRef(owner.ref)} takes it back`;
  return { kind: 'refuse', code: 'released', text };
}

function refuseRotated({ owner, secretName }: Look, { owningService }: DestinationState): Action {
  const why = owningService === undefined ? 'has rotation enabled' : `is managed by ${owningService}`;
  const text = `the secret ${secretName} ${why}, so that two would write it: end that, or exclude ${formatRef(owner.ref)} from the route`;
  return { kind: 'refuse', code: 'rotation_enabled', text };
}

function tooLarge({ owner }: Look, { value }: Present): Action | undefined {
  const bytes = Buffer.byteLength(value.reveal());
  if (bytes <= MAX_VALUE_BYTES) return undefined;
  const text = `the value of ${formatRef(owner.ref)} has ${bytes} bytes; Secrets Manager allows ${MAX_VALUE_BYTES}: split the secret, or exclude it from the route`;
  return { kind: 'refuse', code: 'value_too_large', text };
}

function noRoom({ owner, fullAt }: Look): Action | undefined {
  if (fullAt === undefined) return undefined;
  const text = `no copy of ${formatRef(owner.ref)} is created, since the destination holds the ${fullAt} that destinations.*.maxSecrets allows: raise it (a copy costs about $0.40 a month), or narrow the route`;
  return { kind: 'refuse', code: 'limit_reached', text };
}

const holdStale = ({ owner }: Look): Action => ({
  kind: 'hold',
  code: 'source_stale',
  text: `Vault answered for ${formatRef(owner.ref)} with an older version than was seen before: a standby that lags, or a snapshot that was restored`,
});
