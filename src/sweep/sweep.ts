import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { formatRef, type MountRef } from '../replicate/ref.ts';
import { type CompareOptions, compare, type Gaps, noGaps, type SweptDestination } from './compare.ts';
import { type DeletingEnd, deleteCopies } from './delete-copies.ts';
import { type Approval, type DeletionSettings, type Due, dueDeletion, guarded } from './deletion.ts';
import { type Finding, needsLook } from './drift.ts';
import { createFindings, type FindingsOptions } from './findings.ts';
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
  readonly mounts: readonly MountRef[];
  readonly approvals: readonly Approval[];
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
  for await (const finding of compare(options, order.mounts, gaps, signal)) {
    tally.add(finding);
    const { target } = finding;
    const destination = destinations.get(finding.destination);
    if (destination?.isDown() === true) gaps.down.add(finding.destination);
    else if (target !== undefined && needsLook(finding)) await findings.add(finding.ref, target);
    const deletion = destination?.deletion && dueDeletion(finding, destination.deletion.settings, clock.now());
    if (deletion !== undefined) due.push(deletion);
  }
  const enqueued = await findings.end();
  const deletions = await deleteDue(options, order, due, gaps, signal);
  return { ...tally.report(clock.now()), ...gapsReport(gaps, order.mounts), ...deletions, enqueued };
}

/** Each destination's deletions, as far as its guard lets them go. */
async function deleteDue(
  { destinations, onDeleted, clock, log }: SweepOptions,
  { approvals, extend }: SweepOrder,
  due: readonly Due[],
  gaps: Gaps,
  signal: AbortSignal,
): Promise<Pick<SweepReport, 'deleted' | 'held'>> {
  const held: Record<string, number> = {};
  let deleted = 0;
  for (const [name, { deletion, isDown }] of destinations) {
    if (deletion === undefined || isDown()) continue;
    const here = due.filter(({ finding }) => finding.destination === name);
    const verdict = guarded(here, gaps.copies.get(name) ?? 0, deletion.settings, approvals);
    if (verdict.held.length > 0) {
      held[name] = verdict.held.length;
      log.warn({ event: 'sweep.deletions_held', destination: name, count: verdict.held.length, ...some(verdict.held) });
    }
    deleted += await deleteCopies({ ...deletion, extend, onWritten: onDeleted, clock, log }, verdict.go, signal);
  }
  return { deleted, held };
}

/** The first of them by name, for people. */
const some = (held: readonly Due[]) => ({ refs: held.slice(0, 10).map(({ finding }) => refOf(finding)) });

const refOf = ({ ref }: Finding): string => formatRef(ref);
