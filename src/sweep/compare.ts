import { pMapIterable } from 'p-map';
import type { Clock } from '../clock.ts';
import { type ReplicationError, toReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { DestinationState, ListedCopy } from '../replicate/destination.ts';
import { checkName } from '../replicate/name.ts';
import { checkNotOwn } from '../replicate/own-secret.ts';
import { formatMount, type MountRef, type SecretRef } from '../replicate/ref.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import type { Hidden, Mount, Source } from '../replicate/source.ts';
import { taggedRef } from '../replicate/tags.ts';
import { driftOf, type Finding, type SweptSettings } from './drift.ts';
import { createIndexOfSecrets, type IndexedSecret, type IndexOfSecrets } from './index-of-secrets.ts';

/** Names without a listed copy that are looked up side by side: a listing may miss what was made just before. */
const SIDE_BY_SIDE = 16;

/** A destination as a sweep meets it. */
export interface SweptDestination extends Omit<SweptSettings, 'fullAt'> {
  readonly maxSecrets: number;
  /** All copies of this vault there. */
  readonly copies: () => AsyncIterable<ListedCopy>;
  readonly describe: (secretName: string) => Promise<DestinationState | undefined>;
  /** While it is down, it is passed over. */
  readonly isDown: () => boolean;
}

export interface CompareOptions {
  readonly vault: string;
  readonly source: Pick<Source, 'survey'>;
  readonly routes: Routes;
  /** By name. */
  readonly destinations: ReadonlyMap<string, SweptDestination>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Log, 'warn'>;
}

interface MountGap {
  readonly what: MountRef;
  /** Where it is not all of the mount that is hidden. */
  readonly part?: Pick<Hidden, 'what' | 'folder'>;
  readonly error: ReplicationError;
}

/** What could not be looked at; filled while the findings are read. */
export interface Gaps {
  /**
   * Mounts, folders and destinations that could not be listed: nothing is known of their secrets. And mounts whose
   * secrets' metadata is hidden: of these it is known that they are there, and no more. And destinations where an outage
   * ended the deletions.
   */
  readonly mounts: MountGap[];
  readonly destinations: { readonly what: string; readonly error: ReplicationError }[];
  /** Destinations that were down, so that nothing was compared there. */
  readonly down: Set<string>;
  /** Copies of this vault that were listed, by destination. */
  readonly copies: Map<string, number>;
}

export const noGaps = (): Gaps => ({ mounts: [], destinations: [], down: new Set(), copies: new Map() });

/**
 * Joins what Vault lists with what the destinations list, metadata only: a finding for each copy and for each secret
 * that should have one. Vault is listed first, and kept; each destination's copies are judged as they come. What cannot
 * be listed is unknown, not empty, and keeps nothing else waiting.
 */
export async function* compare(
  options: CompareOptions,
  mounts: readonly MountRef[],
  gaps: Gaps,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const indexes = new Map([...options.destinations.keys()].map((name) => [name, createIndexOfSecrets()]));
  const known = new Map<string, Mount>();
  for (const mount of mounts) yield* indexed(options, mount, { indexes, known, gaps }, signal);
  for (const [name, index] of indexes) yield* compared(options, name, { index, known, gaps }, signal);
}

interface Surveying {
  readonly indexes: ReadonlyMap<string, IndexOfSecrets>;
  /** The entries of the mounts that were surveyed whole. */
  readonly known: Map<string, Mount>;
  readonly gaps: Gaps;
}

/** Surveys a mount into the indexes; one that breaks off stands among the gaps. What only a look can tell is found here. */
async function* indexed(
  { source, routes, log }: CompareOptions,
  ref: MountRef,
  { indexes, known, gaps }: Surveying,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  try {
    const { mount, secrets, hidden } = await source.survey(ref, (path) => routes.targets({ ...ref, path }).length > 0);
    for await (const { path, state = 'unknown' } of secrets) {
      signal.throwIfAborted();
      const secret: IndexedSecret = { ref: { ...ref, path }, state };
      for (const target of routes.targets(secret.ref)) {
        const added = indexes.get(target.destination)?.add(target.secretName, secret, mount);
        if (added === false || state === 'unknown') yield unknown(secret.ref, target); // two for one name: a look refuses
      }
    }
    known.set(formatMount(ref), mount);
    for (const { error, ...part } of hidden) {
      gaps.mounts.push({ what: ref, part, error });
      log.warn({ event: 'sweep.hidden', mount: formatMount(ref), ...part, err: error });
    }
  } catch (error) {
    signal.throwIfAborted();
    gaps.mounts.push({ what: ref, error: toReplicationError(error) });
    log.warn({ event: 'sweep.listing_failed', mount: formatMount(ref), err: toReplicationError(error) });
  }
}

const unknown = (ref: SecretRef, target: Target): Finding => {
  const { destination, secretName } = target;
  return { ref, target, destination, secretName, kind: 'unknown' };
};

interface Comparing {
  readonly index: IndexOfSecrets;
  readonly known: ReadonlyMap<string, Mount>;
  readonly gaps: Gaps;
}

/** Each copy at the destination against its secret, then each secret without a copy. */
async function* compared(
  options: CompareOptions,
  name: string,
  { index, known, gaps }: Comparing,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const { isDown, copies, maxSecrets } = options.destinations.get(name) ?? NOWHERE;
  if (isDown()) return void gaps.down.add(name);
  let count = 0;
  try {
    for await (const copy of copies()) {
      signal.throwIfAborted();
      if (!copy.scheduledForDeletion) count += 1;
      const secret = index.take(copy.name);
      yield* some(
        secret === undefined ? leftOver(options, name, copy, { known, gaps }) : ofSecret(options, name, secret, copy),
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isDown()) gaps.down.add(name);
    else gaps.destinations.push({ what: name, error: toReplicationError(error) });
    options.log.warn({ event: 'sweep.listing_failed', destination: name, err: toReplicationError(error) });
    return;
  }
  gaps.copies.set(name, count);
  yield* withoutCopy(options, name, index, count >= maxSecrets ? maxSecrets : undefined, signal);
}

const NOWHERE: Pick<SweptDestination, 'isDown' | 'copies' | 'maxSecrets'> = {
  isDown: () => true,
  copies: () => (async function* () {})(),
  maxSecrets: 0,
};

const some = (finding: Finding | undefined): readonly Finding[] => (finding === undefined ? [] : [finding]);

async function* withoutCopy(
  options: CompareOptions,
  destination: string,
  index: IndexOfSecrets,
  fullAt: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const findings = pMapIterable(index.rest(), (named) => lookedUp(options, destination, named, fullAt), {
    concurrency: SIDE_BY_SIDE,
  });
  for await (const finding of findings) {
    signal.throwIfAborted();
    yield* some(finding);
  }
}

/** Undefined where the secret's finding was told already. */
function ofSecret(
  { vault, routes, destinations, clock }: CompareOptions,
  destination: string,
  { ref, state }: IndexedSecret,
  copy: ListedCopy,
): Finding | undefined {
  const target = targetOf(routes, ref, destination, copy.name);
  const settings = destinations.get(destination);
  if (state === 'unknown' || target === undefined || settings === undefined) return undefined;
  return driftOf(state, copy, { vault, ref, target, now: clock.now() }, settings);
}

const targetOf = (routes: Routes, ref: SecretRef, destination: string, secretName: string): Target | undefined =>
  routes.targets(ref).find((candidate) => candidate.destination === destination && candidate.secretName === secretName);

/** A secret that no listed copy is of: the listing may miss what was made just before, so its name is looked up. */
async function lookedUp(
  { vault, routes, destinations, clock }: CompareOptions,
  destination: string,
  [secretName, { ref, state }]: readonly [string, IndexedSecret],
  fullAt: number | undefined,
): Promise<Finding | undefined> {
  const target = targetOf(routes, ref, destination, secretName);
  const settings = destinations.get(destination);
  if (state === 'unknown' || target === undefined || settings === undefined) return undefined;
  try {
    checkName(secretName, ref);
    checkNotOwn(target, ref);
    const copy = await settings.describe(secretName);
    return driftOf(state, copy, { vault, ref, target, now: clock.now() }, { ...settings, fullAt });
  } catch {
    return unknown(ref, target); // the look will say why
  }
}

/** A copy that no secret of Vault's listing asked for: its secret is gone, or no route leads to it any more. */
function leftOver(
  { vault, routes, destinations, clock }: CompareOptions,
  destination: string,
  copy: ListedCopy,
  { known, gaps }: Pick<Comparing, 'known' | 'gaps'>,
): Finding | undefined {
  const ref = taggedRef(copy.tags, copy.description, routes.mounts);
  const orphan = { destination, secretName: copy.name, kind: 'orphan', copy } as const;
  if (ref === undefined) return { ...orphan, ref: { namespace: '', mount: '', path: copy.name } };
  const target = targetOf(routes, ref, destination, copy.name);
  if (target === undefined) return { ...orphan, ref };
  const mount = known.get(formatMount(ref));
  const settings = destinations.get(destination);
  if (mount === undefined || settings === undefined || isHidden(ref, gaps)) return undefined; // nothing is known of it
  return driftOf({ kind: 'absent', why: 'purged', mount }, copy, { vault, ref, target, now: clock.now() }, settings);
}

const isHidden = ({ namespace, mount, path }: SecretRef, { mounts }: Gaps): boolean =>
  mounts.some(
    ({ what, part }) =>
      part?.what === 'folder' && what.namespace === namespace && what.mount === mount && path.startsWith(part.folder),
  );
