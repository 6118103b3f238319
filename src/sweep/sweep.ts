import type { Clock } from '../clock.ts';
import type { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import { formatRef } from '../replicate/ref.ts';
import { type CompareOptions, compare, type Gaps, noGaps, type SweptDestination } from './compare.ts';
import { type DeletingEnd, deleteCopies } from './delete-copies.ts';
import { type Approval, type DeletionSettings, type Due, dueDeletion } from './deletion.ts';
import { needsLook } from './drift.ts';
import { createFindings, type Findings, type FindingsOptions } from './findings.ts';
import { judgeDue } from './guard.ts';
import { createTally, gapsReport, type SweepReport } from './report.ts';

/** A destination as a worker's sweep meets it. Without `deletion`, its copies are kept and marked. */
export interface WorkerDestination extends SweptDestination {
  readonly deletion?: { readonly settings: DeletionSettings; readonly end: DeletingEnd };
}

export interface SweepOptions extends CompareOptions, FindingsOptions {
  readonly destinations: ReadonlyMap<string, WorkerDestination>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onDeleted: (due: Due, outcome: 'deleted' | 'restored') => void;
}

/** What one run is asked for. */
export interface SweepOrder {
  /** The earlier of our clock and SQS's, ms since the epoch: a clock that is ahead must not cut a grace short. */
  readonly now: () => number;
  /** Those that hold for a destination at the time of asking. */
  readonly approvals: (destination: string) => readonly Approval[];
  /** Uses up what was approved of it: it has gone out. */
  readonly onSent: (due: Due) => void;
  /** Keeps the request with this process for another minute; throws when it is not its own any more. */
  readonly extend: () => Promise<void>;
}

/**
 * Looks at everything once, metadata only, and puts on the queue what differs: the worker decides. Deletions alone are
 * decided here, where all are seen at once. Throws when SQS fails or the signal aborts.
 */
export async function sweep(options: SweepOptions, order: SweepOrder, signal: AbortSignal): Promise<SweepReport> {
  const { destinations, clock } = options;
  const gaps = noGaps();
  const findings = createFindings(options, signal);
  const tally = createTally();
  const due: Due[] = [];
  for await (const finding of compare(options, options.routes.mounts, gaps, signal)) {
    tally.add(finding);
    const { target } = finding;
    const destination = destinations.get(finding.destination);
    if (destination?.isDown() === true) gaps.down.add(finding.destination);
    else if (target !== undefined && needsLook(finding)) await findings.add(finding.ref, target);
    const deletion = destination?.deletion && dueDeletion(finding, destination.deletion.settings, order.now());
    if (deletion !== undefined) due.push(deletion);
  }
  await findings.end(); // what is found is on its way before anything is deleted
  const deletions = await deleteDue(options, order, { due, gaps, findings }, signal);
  return { ...tally.report(clock.now()), ...gapsReport(gaps), ...deletions, enqueued: await findings.end() };
}

/** Each destination's deletions, as far as its guard lets them go. */
async function deleteDue(
  { destinations, onDeleted, clock, log }: SweepOptions,
  { approvals, onSent, extend }: SweepOrder,
  { due, gaps, findings }: { readonly due: readonly Due[]; readonly gaps: Gaps; readonly findings: Findings },
  signal: AbortSignal,
): Promise<Pick<SweepReport, 'deleted' | 'held'>> {
  const held: Record<string, number> = {};
  let deleted = 0;
  const lookAgain = ({ ref, target }: Due) => findings.add(ref, target);
  for (const [name, { deletion, ...end }] of destinations) {
    const here = due.filter(({ target }) => target.destination === name);
    if (deletion === undefined || here.length === 0) continue;
    if (end.isDown()) {
      gaps.down.add(name);
      continue;
    }
    const copies = gaps.copies.get(name) ?? 0;
    const verdict = await judgeDue(here, { ...deletion, copies, approvals: () => approvals(name), end }, signal);
    if (verdict.held.length > 0) {
      held[name] = verdict.held.length;
      log.warn({ event: 'sweep.deletions_held', destination: name, count: verdict.held.length, ...some(verdict.held) });
    }
    const onBrokenOff = (error: ReplicationError) => void gaps.destinations.push({ what: name, error });
    const options = { ...deletion, extend, lookAgain, onBrokenOff, onSent, onWritten: onDeleted, clock, log };
    deleted += await deleteCopies(options, verdict.go, signal);
  }
  return { deleted, held };
}

/** The first of them by name, for people. */
const some = (held: readonly Due[]) => ({ refs: held.slice(0, 10).map(({ ref }) => formatRef(ref)) });
