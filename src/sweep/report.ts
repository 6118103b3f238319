import { formatMount, type MountRef } from '../replicate/ref.ts';
import { STATES } from '../replicate/standing.ts';
import type { Gaps } from './compare.ts';
import type { Finding, Kind } from './drift.ts';

/** How many copies of a destination stand how; kinds that none has are left out. */
export type Counts = Partial<Record<Kind, number>>;

export interface SweepReport {
  /** By the destination's name. */
  readonly found: Readonly<Record<string, Counts>>;
  /** Messages that were sent. */
  readonly enqueued: number;
  /** Copies whose deletion was scheduled. */
  readonly deleted: number;
  /** Deletions that wait for an operator's approval, by the destination's name. */
  readonly held: Readonly<Record<string, number>>;
  /** How old the oldest difference is, in seconds, as far as Vault tells; 0 when there is none. */
  readonly oldestDrift: number;
  /** Mounts and destinations that could not be listed: nothing is known of their secrets. */
  readonly failed: readonly string[];
  /** Mounts to list again in a moment: what failed is no policy that lacks, and no outage. */
  readonly again: readonly MountRef[];
  /** Destinations that were down, so that nothing was compared there. */
  readonly down: readonly string[];
}

/** Counts findings as they come. */
export function createTally() {
  const found = new Map<string, Map<Kind, number>>();
  let oldest = Number.POSITIVE_INFINITY;
  return {
    add({ destination, kind, since }: Finding): void {
      const counts = found.get(destination) ?? new Map<Kind, number>();
      found.set(destination, counts.set(kind, (counts.get(kind) ?? 0) + 1));
      if (since !== undefined && isDrift(kind)) oldest = Math.min(oldest, since);
    },
    /** `now`: ms since the epoch. */
    report: (now: number): Pick<SweepReport, 'found' | 'oldestDrift'> => ({
      found: Object.fromEntries([...found].map(([name, counts]) => [name, Object.fromEntries(counts)])),
      oldestDrift: Number.isFinite(oldest) ? Math.max(0, Math.round((now - oldest) / 1000)) : 0,
    }),
  };
}

/** A difference that the sweep and the workers are to end, or to tell of. */
export const isDrift = (kind: Kind): boolean => kind === 'orphan' || (kind !== 'unknown' && !STATES[kind].inSync);

/** What was left out, and what of it is worth another try. `mounts` are all that were asked for. */
export function gapsReport(
  { mounts, destinations, down }: Gaps,
  all: readonly MountRef[],
): Pick<SweepReport, 'failed' | 'again' | 'down'> {
  const mayPass = ({ error }: { error: { treatment: string } }) => error.treatment !== 'permanent';
  return {
    failed: [...mounts.map(({ what }) => formatMount(what)), ...destinations.map(({ what }) => `destinations.${what}`)],
    again: destinations.some(mayPass) ? all : mounts.filter(mayPass).map(({ what }) => what),
    down: [...down],
  };
}
