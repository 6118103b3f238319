import { type Approval, holds, type SentApprovals } from './deletion.ts';
import type { Requests } from './progress.ts';

/** The approvals that came to this process, for as long as they hold. */
export interface KeptApprovals {
  keep(requests: Requests): void;
  /** `now` on SQS's clock, in ms since the epoch. */
  standing(now: number): readonly Approval[];
}

/**
 * A sweep with a gap has not acted upon all that it was given, and its request is acknowledged: the next sweep of this
 * process acts upon the rest. What was acted upon is void by itself, as the copy is no more as it was.
 */
export function createKeptApprovals(): KeptApprovals {
  const kept = new Map<string, SentApprovals>();
  return {
    keep(requests) {
      for (const { received, message } of requests) {
        if (message.approve !== undefined) kept.set(received.id, { sentAt: received.sentAt, approve: message.approve });
      }
    },
    standing(now) {
      for (const [id, sent] of kept) if (!holds(sent, now)) kept.delete(id);
      return [...kept.values()].flatMap(({ approve }) => approve);
    },
  };
}
