import { pMapIterable } from 'p-map';
import { toReplicationError } from '../errors.ts';
import type { DestinationState } from '../replicate/destination.ts';
import type { SweptDestination } from './compare.ts';
import { type Approval, type DeletionSettings, type Due, guarded, mostAtOnce } from './deletion.ts';

/** Copies that are looked up at once. */
const SIDE_BY_SIDE = 16;

/** What the guard of a destination goes by. */
export interface Guard {
  readonly settings: DeletionSettings;
  /** Copies that were listed there. */
  readonly copies: number;
  /** Those that hold at the time of asking. */
  readonly approvals: () => readonly Approval[];
  readonly end: Pick<SweptDestination, 'describe' | 'isDown'>;
}

export interface Verdict<D extends Due> {
  readonly go: readonly D[];
  readonly held: readonly D[];
  /** Neither: they have replicas, and the destination does not say that such copies are deleted. */
  readonly staying: readonly D[];
}

/**
 * Which of a destination's deletions may go. Copies with replicas stay due for ever unless the destination says otherwise,
 * and must not fill the guard; listings do not tell of replicas, so that what would be held is looked up first. Throws
 * when the signal aborts.
 */
export async function judgeDue<D extends Due>(
  due: readonly D[],
  guard: Guard,
  signal: AbortSignal,
): Promise<Verdict<D>> {
  const { settings, copies, approvals } = guard;
  const judge = (some: readonly D[]) => guarded(some, copies, settings, approvals());
  const first = judge(due);
  if (settings.replicas || first.held.length === 0) return { ...first, staying: [] };
  const staying = new Set(await withReplicas(first.held, guard, signal));
  return { ...judge(due.filter((one) => !staying.has(one))), staying: [...staying] };
}

/**
 * Those that are known to have replicas. What cannot be looked up counts against the guard. In an outage nothing is known,
 * and no more is asked; nor once so many have none that they are held whatever the rest has.
 */
async function withReplicas<D extends Due>(
  held: readonly D[],
  { settings, copies, end }: Guard,
  signal: AbortSignal,
): Promise<readonly D[]> {
  const most = mostAtOnce(copies, settings);
  const staying: D[] = [];
  let others = 0;
  const look = async (one: D) => ({ one, seen: await lookUp(one, end, signal) });
  for await (const { one, seen } of pMapIterable(held, look, { concurrency: SIDE_BY_SIDE })) {
    signal.throwIfAborted();
    if (seen === 'outage') return [];
    if (seen === 'replicas') staying.push(one);
    else others += 1;
    if (others > most) break;
  }
  return staying;
}

type Seen = 'replicas' | 'none' | 'unknown' | 'outage';

async function lookUp({ target }: Due, { describe, isDown }: Guard['end'], signal: AbortSignal): Promise<Seen> {
  if (isDown() || signal.aborted) return 'outage';
  try {
    return hasReplicas(await describe(target.secretName)) ? 'replicas' : 'none';
  } catch (error) {
    return toReplicationError(error).treatment === 'pausing' ? 'outage' : 'unknown';
  }
}

export const hasReplicas = (copy: DestinationState | undefined): boolean => (copy?.replicas ?? []).length > 0;

/** Why such a copy stays. */
export const STAYS = 'it has replicas, which would go at once: see deletion.replicas';
