import { pMapIterable } from 'p-map';
import type { Clock } from '../clock.ts';
import { type ReplicationError, toReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { DestinationState, ListedCopy } from '../replicate/destination.ts';
import { checkName } from '../replicate/name.ts';
import { checkNotOwn } from '../replicate/own-secret.ts';
import { formatMount, type MountRef, type SecretRef } from '../replicate/ref.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import type { Mount, Source, Surveyed } from '../replicate/source.ts';
import { taggedRef } from '../replicate/tags.ts';
import { driftOf, type Finding, type SweptSettings } from './drift.ts';
import { createIndexOfCopies, type IndexOfCopies } from './index-of-copies.ts';

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

/** What could not be looked at; filled while the findings are read. */
export interface Gaps {
  /** Mounts and destinations that could not be listed: nothing is known of their secrets. */
  readonly mounts: { readonly what: MountRef; readonly error: ReplicationError }[];
  readonly destinations: { readonly what: string; readonly error: ReplicationError }[];
  /** Destinations that were down, so that nothing was compared there. */
  readonly down: Set<string>;
  /** Copies of this vault that were listed, by destination. */
  readonly copies: Map<string, number>;
}

export const noGaps = (): Gaps => ({ mounts: [], destinations: [], down: new Set(), copies: new Map() });

/**
 * Joins what Vault lists with what the destinations list, metadata only: a finding for each copy and for each secret
 * that should have one. What cannot be listed is unknown, not empty, and keeps nothing else waiting.
 */
export async function* compare(
  options: CompareOptions,
  mounts: readonly MountRef[],
  gaps: Gaps,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const indexes = await listAll(options, gaps, signal);
  const known = new Map<string, Mount>();
  for (const mount of mounts) {
    const findings = pMapIterable(
      surveyed(options, mount, known, gaps, signal),
      (secret) => findingsOf(options, indexes, mount, secret),
      { concurrency: SIDE_BY_SIDE },
    );
    for await (const found of findings) yield* found;
    signal.throwIfAborted();
  }
  for (const [name, index] of indexes) {
    for (const copy of index.rest()) {
      const finding = leftOver(options, name, copy, known);
      if (finding !== undefined) yield finding;
    }
  }
}

type Indexes = ReadonlyMap<string, IndexOfCopies>;

/** The listings of all destinations that can be listed. */
async function listAll({ destinations, log }: CompareOptions, gaps: Gaps, signal: AbortSignal): Promise<Indexes> {
  const indexes = new Map<string, IndexOfCopies>();
  for (const [name, { copies, isDown }] of destinations) {
    if (isDown()) {
      gaps.down.add(name);
      continue;
    }
    const index = createIndexOfCopies();
    try {
      for await (const copy of copies()) {
        signal.throwIfAborted();
        index.add(copy);
      }
      gaps.copies.set(name, index.count);
      indexes.set(name, index);
    } catch (error) {
      signal.throwIfAborted();
      if (isDown()) gaps.down.add(name);
      else gaps.destinations.push({ what: name, error: toReplicationError(error) });
      log.warn({ event: 'sweep.listing_failed', destination: name, err: toReplicationError(error) });
    }
  }
  return indexes;
}

type SurveyedSecret = Surveyed & { readonly mount: Mount };

/** The mount's routed secrets; a survey that broke off has ended early, and stands among the gaps. */
async function* surveyed(
  { source, routes, log }: CompareOptions,
  ref: MountRef,
  known: Map<string, Mount>,
  gaps: Gaps,
  signal: AbortSignal,
): AsyncGenerator<SurveyedSecret> {
  try {
    const { mount, secrets } = await source.survey(ref, (path) => routes.targets({ ...ref, path }).length > 0);
    for await (const secret of secrets) {
      signal.throwIfAborted();
      yield { ...secret, mount };
    }
    known.set(formatMount(ref), mount);
  } catch (error) {
    signal.throwIfAborted();
    gaps.mounts.push({ what: ref, error: toReplicationError(error) });
    log.warn({ event: 'sweep.listing_failed', mount: formatMount(ref), err: toReplicationError(error) });
  }
}

async function findingsOf(
  options: CompareOptions,
  indexes: Indexes,
  mount: MountRef,
  secret: SurveyedSecret,
): Promise<Finding[]> {
  const ref = { ...mount, path: secret.path };
  const findings: Finding[] = [];
  for (const target of options.routes.targets(ref)) {
    const index = indexes.get(target.destination);
    const destination = options.destinations.get(target.destination);
    if (index === undefined || destination === undefined) continue;
    findings.push(await findingOf(options, destination, index, { ref, target }, secret));
  }
  return findings;
}

async function findingOf(
  { vault, clock }: CompareOptions,
  destination: SweptDestination,
  index: IndexOfCopies,
  about: { readonly ref: SecretRef; readonly target: Target },
  { state }: Surveyed,
): Promise<Finding> {
  const { secretName } = about.target;
  const unknown: Finding = { ...about, secretName, destination: about.target.destination, kind: 'unknown' };
  const listed = index.take(secretName);
  if (state === undefined) return unknown;
  const { maxSecrets } = destination;
  const fullAt = index.count >= maxSecrets ? maxSecrets : undefined;
  try {
    checkName(secretName, about.ref);
    checkNotOwn(about.target, about.ref);
    const copy = listed ?? (await destination.describe(secretName));
    return driftOf(state, copy, { ...about, vault, now: clock.now() }, { ...destination, fullAt });
  } catch {
    return unknown; // the look will say why
  }
}

/** A copy that no secret of Vault's listing asked for: its secret is gone, or no route leads to it any more. */
function leftOver(
  { vault, routes, destinations, clock }: CompareOptions,
  destination: string,
  copy: ListedCopy,
  known: ReadonlyMap<string, Mount>,
): Finding | undefined {
  const ref = taggedRef(copy.tags, copy.description, routes.mounts);
  const orphan = { destination, secretName: copy.name, kind: 'orphan', copy } as const;
  if (ref === undefined) return { ...orphan, ref: { namespace: '', mount: '', path: copy.name } };
  const target = routes
    .targets(ref)
    .find((candidate) => candidate.destination === destination && candidate.secretName === copy.name);
  if (target === undefined) return { ...orphan, ref };
  const mount = known.get(formatMount(ref));
  const settings = destinations.get(destination);
  if (mount === undefined || settings === undefined) return undefined; // nothing is known of its mount
  return driftOf({ kind: 'absent', why: 'purged', mount }, copy, { vault, ref, target, now: clock.now() }, settings);
}
