import { pMapIterable } from 'p-map';
import { formatMount, formatRef, type MountRef } from '../replicate/ref.ts';
import { type CompareOptions, compare, type Gaps, noGaps, type SweptDestination } from '../sweep/compare.ts';
import { type DeletionSettings, dueDeletion } from '../sweep/deletion.ts';
import { judgeDue, type Verdict } from '../sweep/guard.ts';
import { type Depth, type JudgingEnd, judge } from './judge.ts';
import type { Meter } from './meter.ts';
import { type DueRow, type Judged, rowOf } from './plan-rows.ts';

/** Secrets that are looked at side by side. */
const SIDE_BY_SIDE = 8;

/** A destination, and Vault behind it; `deletion` where copies are deleted at all. */
export interface ComparedEnd extends SweptDestination, JudgingEnd {
  readonly deletion?: DeletionSettings;
}

export interface CompareEnds extends Omit<CompareOptions, 'destinations' | 'log'> {
  /** By the destination's name. */
  readonly ends: ReadonlyMap<string, ComparedEnd>;
  readonly meter: Meter;
}

/** Besides, the deletions that the next sweep lets go, those that it holds, and those that it leaves. */
export interface Compared extends Verdict<DueRow> {
  /** Copies that were listed, by the destination's name. */
  readonly copies: ReadonlyMap<string, number>;
  readonly gaps: readonly Gap[];
  /** No mount, or no destination, could be listed. */
  readonly nothing: boolean;
}

/**
 * A mount, a folder or a destination that could not be listed: nothing is known of its secrets; or, with a mount and a
 * slash, secrets whose metadata is hidden.
 */
export interface Gap {
  readonly what: string;
  readonly code: string;
  readonly why: string;
}

/**
 * Compares all that is routed, as deep as is wished, and hands on each finding in turn; but for copies whose deletion is
 * due, which are decided on where all are seen at once. Throws when the signal aborts.
 */
export async function compareEnds(
  options: CompareEnds,
  depth: Depth,
  onJudged: (judged: Judged) => void | Promise<void>,
  signal: AbortSignal,
): Promise<Compared> {
  const { ends, routes, clock, meter } = options;
  const gaps = noGaps();
  const due: DueRow[] = [];
  const source = counting(options);
  const found = compare({ ...options, source, destinations: ends, log: SILENT }, routes.mounts, gaps, signal);
  const judged = pMapIterable(found, (finding) => judge(ends.get(finding.destination), finding, depth), {
    concurrency: SIDE_BY_SIDE,
  });
  for await (const one of judged) {
    signal.throwIfAborted();
    const deletion = ends.get(one.finding.destination)?.deletion;
    const dueOne = deletion && dueDeletion(one.finding, deletion, clock.now());
    if (dueOne === undefined) await onJudged(one);
    else due.push({ ...dueOne, row: rowOf(one) });
    meter.compared();
  }
  return { ...(await decided(ends, due, gaps, signal)), ...told(options, gaps, depth) };
}

/** What could not be listed is told as a gap. */
const SILENT = { warn: () => undefined };

/** Vault is listed first, so that it is known from there on how much there is to compare. */
const counting = ({ source, routes, meter }: CompareEnds): CompareOptions['source'] => ({
  async survey(ref, wanted) {
    const { secrets, ...survey } = await source.survey(ref, wanted);
    const told = (path: string) => meter.listed(routes.targets({ ...ref, path }).length);
    return { ...survey, secrets: telling(secrets, ({ path }) => told(path)) };
  },
});

async function* telling<T>(values: AsyncIterable<T>, tell: (value: T) => void): AsyncGenerator<T> {
  for await (const value of values) {
    tell(value);
    yield value;
  }
}

/** As a worker's sweep will, without anybody's approval. */
async function decided(
  ends: CompareEnds['ends'],
  due: readonly DueRow[],
  gaps: Gaps,
  signal: AbortSignal,
): Promise<Verdict<DueRow>> {
  const all = { go: [] as DueRow[], held: [] as DueRow[], staying: [] as DueRow[] };
  for (const [name, { deletion, ...end }] of ends) {
    if (deletion === undefined) continue;
    const here = due.filter(({ target }) => target.destination === name);
    const guard = { settings: deletion, copies: gaps.copies.get(name) ?? 0, approvals: () => [], end };
    const { go, held, staying } = await judgeDue(here, guard, signal);
    for (const one of go) all.go.push(one);
    for (const one of held) all.held.push(one);
    for (const one of staying) all.staying.push(one);
  }
  return all;
}

/** What of metadata is hidden leaves no gap where each such secret was looked at. */
function told({ routes, ends }: CompareEnds, gaps: Gaps, depth: Depth): Pick<Compared, 'copies' | 'gaps' | 'nothing'> {
  const open = gaps.mounts.filter(({ part }) => depth === 'listings' || part?.what !== 'metadata');
  const mounts = open.map(({ what, part, error }) => ({ what: placeOf(what, part?.folder), error }));
  const destinations = gaps.destinations.map(({ what, error }) => ({ what: `destinations.${what}`, error }));
  const whole = gaps.mounts.filter(({ part }) => part === undefined);
  return {
    copies: gaps.copies,
    gaps: [...mounts, ...destinations].map(({ what, error: { code, message } }) => ({ what, code, why: message })),
    nothing: whole.length === routes.mounts.length || destinations.length === ends.size,
  };
}

const placeOf = (mount: MountRef, folder: string | undefined): string =>
  folder === undefined ? formatMount(mount) : formatRef({ ...mount, path: folder });
