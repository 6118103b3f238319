import { randomUUID } from 'node:crypto';
import { encodeMessage, sweepGroup } from '../queue/message.ts';
import type { Outgoing } from '../queue/ports.ts';
import type { OnQueued } from './dirty.ts';

/** Why an ingress asks for a look at everything. */
export type GapReason = 'start' | 'connection' | 'overflow' | 'mounts' | 'snapshot_restore' | 'kv_version_unknown';

/** Requests for a sweep that are not sent yet: they become one message. */
export interface SweepRequests {
  ask(reason: GapReason, onQueued?: readonly OnQueued[]): void;
  /** The message for all that was asked since the last call. */
  take(): SweepRequest | undefined;
  /** It could not be sent: it is asked for again. */
  giveBack(request: SweepRequest): void;
  readonly pending: boolean;
}

export interface SweepRequest {
  readonly reasons: ReadonlySet<GapReason>;
  readonly onQueued: readonly OnQueued[];
  readonly message: Outgoing;
}

/** Each request has an id of its own (this ingress, its gap's number): SQS must never take two gaps for one. */
export function createSweepRequests(vault: string): SweepRequests {
  const ingress = randomUUID();
  let gap = 0;
  let reasons = new Set<GapReason>();
  let waiting: OnQueued[] = [];
  const wait = (onQueued: readonly OnQueued[]) => {
    for (const told of onQueued) waiting.push(told); // one by one: after an overflow they are too many for one call
  };
  return {
    ask(reason, onQueued = []) {
      reasons.add(reason);
      wait(onQueued);
    },
    take() {
      if (reasons.size === 0) return undefined;
      gap += 1;
      const reason = [...reasons].join(',');
      const body = encodeMessage({ v: 1, kind: 'sweep', vault, origin: 'gap', reason });
      const message = { body, group: sweepGroup(vault), deduplicationId: `${ingress}-${gap}` };
      const request = { reasons, onQueued: waiting, message };
      reasons = new Set();
      waiting = [];
      return request;
    },
    giveBack(request) {
      for (const reason of request.reasons) reasons.add(reason);
      wait(request.onQueued);
    },
    get pending() {
      return reasons.size > 0;
    },
  };
}
