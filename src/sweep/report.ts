import { formatMount, formatRef } from '../replicate/ref.ts';
import { STATES } from '../replicate/standing.ts';
import type { Gaps } from './compare.ts';
import type { Finding, Kind } from './drift.ts';

/** How many copies of a destination stand how; kinds that none has are left out. */
export type Counts = Partial<Record<Kind, number>>;

/** What no worker can end: it is told by name, so that a person can. */
const PERMANENT = ['conflict', 'refused', 'orphan'] as const satisfies readonly Kind[];
/** So many of each kind are told by name, for each destination; `plan` has them all. */
const MOST_NAMED = 20;

export interface PermanentFinding {
  readonly kind: (typeof PERMANENT)[number];
  /** Left out of an orphan whose tags name no secret of a routed mount. */
  readonly ref?: string;
  readonly secretName: string;
  readonly code?: string;
}

export interface SweepReport {
  /** By the destination's name. */
  readonly found: Readonly<Record<string, Counts>>;
  /** The first of each kind of permanent finding, by the destination's name. */
  readonly permanent: Readonly<Record<string, readonly PermanentFinding[]>>;
  /** Messages that were sent. */
  readonly enqueued: number;
  /** Copies whose deletion was scheduled. */
  readonly deleted: number;
  /** Deletions that wait for an operator's approval, by the destination's name. */
  readonly held: Readonly<Record<string, number>>;
  /** How old the oldest difference is, in seconds, as far as Vault tells; 0 when there is none. */
  readonly oldestDrift: number;
  /**
   * Mounts, folders of them, and destinations that could not be listed: nothing is known of their secrets; and mounts
   * whose secrets' metadata is hidden, told as "kv (metadata)"; and destinations where an outage ended the deletions.
   */
  readonly failed: readonly string[];
  /** Whether another sweep may find more: what failed is no policy that lacks, and no outage of a destination. */
  readonly again: boolean;
  /** Destinations that were down, so that nothing was compared there. */
  readonly down: readonly string[];
}

/** Counts findings as they come. */
export function createTally() {
  const found = new Map<string, Map<Kind, number>>();
  const permanent = new Map<string, PermanentFinding[]>();
  let oldest = Number.POSITIVE_INFINITY;
  return {
    add(finding: Finding): void {
      const { destination, kind, since } = finding;
      const counts = found.get(destination) ?? new Map<Kind, number>();
      const before = counts.get(kind) ?? 0;
      found.set(destination, counts.set(kind, before + 1));
      const named = before < MOST_NAMED ? permanentFinding(finding) : undefined;
      if (named !== undefined) permanent.set(destination, [...(permanent.get(destination) ?? []), named]);
      if (since !== undefined && isDrift(kind)) oldest = Math.min(oldest, since);
    },
    /** `now`: ms since the epoch. */
    report: (now: number): Pick<SweepReport, 'found' | 'permanent' | 'oldestDrift'> => ({
      permanent: Object.fromEntries(permanent),
      found: Object.fromEntries([...found].map(([name, counts]) => [name, Object.fromEntries(counts)])),
      oldestDrift: Number.isFinite(oldest) ? Math.max(0, Math.round((now - oldest) / 1000)) : 0,
    }),
  };
}

function permanentFinding({ kind: of, ref, secretName, standing }: Finding): PermanentFinding | undefined {
  const kind = PERMANENT.find((one) => one === of);
  if (kind === undefined) return undefined;
  const code = standing?.code;
  return { kind, ...(ref.mount !== '' && { ref: formatRef(ref) }), secretName, ...(code !== undefined && { code }) };
}

/** A difference that the sweep and the workers are to end, or to tell of. */
export const isDrift = (kind: Kind): boolean => kind === 'orphan' || (kind !== 'unknown' && !STATES[kind].inSync);

/** As it follows the mount: `/folder/`, or the word that only metadata is hidden. */
const partText = (part: Gaps['mounts'][number]['part']): string => {
  if (part === undefined) return '';
  return part.what === 'metadata' ? ' (metadata)' : `/${part.folder}`;
};

/** What was left out. */
export function gapsReport({ mounts, destinations, down }: Gaps): Pick<SweepReport, 'failed' | 'again' | 'down'> {
  const hidden = mounts.map(({ what, part }) => formatMount(what) + partText(part));
  return {
    failed: [...hidden, ...destinations.map(({ what }) => `destinations.${what}`)],
    again: [...mounts, ...destinations].some(({ error }) => error.treatment !== 'permanent'),
    down: [...down],
  };
}
