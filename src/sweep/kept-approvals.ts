import { type Approval, holds, keyOf } from './deletion.ts';
import type { Requests } from './progress.ts';

/** The approvals that came to this process, for as long as they hold. */
export interface KeptApprovals {
  /** A request that comes once more brings back nothing of what it was used for. */
  keep(requests: Requests): void;
  /** For a destination; `now` on SQS's clock, in ms since the epoch. */
  standing(destination: string, now: number): readonly Approval[];
  /** The deletion has gone out: no word that is here stands for it any more. */
  use(destination: string, approval: Approval): void;
  /** A sweep has left nothing over: what it did not act upon was not to be acted upon. */
  forget(): void;
}

/** What came with one request. */
interface Kept {
  /** On SQS's clock, in ms since the epoch. */
  readonly sentAt: number;
  approve: readonly Approval[];
  /** By destination: the words name none, and a secret's copies may be marked in the same millisecond. */
  readonly used: Map<string, Set<string>>;
}

/**
 * A sweep with a gap has not acted upon all that it was given, and its request is acknowledged: the next sweep of this
 * process acts upon the rest. A word is for one deletion: a copy that somebody restores by hand has its version and its
 * mark still, and must not be deleted again for it.
 */
export function createKeptApprovals(): KeptApprovals {
  const kept = new Map<string, Kept>();
  return {
    keep(requests) {
      for (const { received, message } of requests) {
        const { approve } = message;
        if (approve === undefined || kept.has(received.id)) continue;
        kept.set(received.id, { sentAt: received.sentAt, approve, used: new Map() });
      }
    },
    standing(destination, now) {
      for (const [id, one] of kept) if (!holds(one, now)) kept.delete(id);
      return [...kept.values()].flatMap(({ approve, used }) => {
        const gone = used.get(destination);
        return gone === undefined ? approve : approve.filter((approval) => !gone.has(keyOf(approval)));
      });
    },
    use(destination, approval) {
      const key = keyOf(approval);
      for (const { used } of kept.values()) used.set(destination, (used.get(destination) ?? new Set()).add(key));
    },
    forget() {
      for (const one of kept.values()) {
        one.approve = [];
        one.used.clear();
      }
    },
  };
}
