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
  sent(request: SweepRequest): void;
  /** The queue will never take it: it is let go, and nobody is told that it is there. */
  refused(request: SweepRequest): void;
  /** It could not be sent: it is asked for again. */
  giveBack(request: SweepRequest): void;
  readonly pending: boolean;
  /** For how long one has been asked for that is not on the queue, in ms; 0 when none is. */
  readonly oldestFor: number;
}

export interface SweepRequest {
  readonly reasons: ReadonlySet<GapReason>;
  readonly onQueued: readonly OnQueued[];
  readonly message: Outgoing;
  /** When it was asked for. */
  readonly since: number;
}

/**
 * Each request has an id of its own (this ingress, its gap's number): SQS must never take two gaps for one.
 * @param now a clock in ms; without one no request has an age
 */
export function createSweepRequests(vault: string, now: () => number = () => 0): SweepRequests {
  const ingress = randomUUID();
  const sending = new Set<SweepRequest>();
  let gap = 0;
  let reasons = new Set<GapReason>();
  let since = Number.POSITIVE_INFINITY;
  let waiting: OnQueued[] = [];
  const wait = (onQueued: readonly OnQueued[]) => {
    for (const told of onQueued) waiting.push(told); // one by one: after an overflow they are too many for one call
  };
  return {
    ask(reason, onQueued = []) {
      reasons.add(reason);
      since = Math.min(since, now());
      wait(onQueued);
    },
    take() {
      if (reasons.size === 0) return undefined;
      gap += 1;
      const reason = [...reasons].join(',');
      const body = encodeMessage({ v: 1, kind: 'sweep', vault, origin: 'gap', reason });
      const message = { body, group: sweepGroup(vault), deduplicationId: `${ingress}-${gap}` };
      const request = { reasons, onQueued: waiting, message, since };
      reasons = new Set();
      since = Number.POSITIVE_INFINITY;
      waiting = [];
      sending.add(request);
      return request;
    },
    sent(request) {
      sending.delete(request);
      for (const told of request.onQueued) told();
    },
    refused: (request) => void sending.delete(request),
    giveBack(request) {
      sending.delete(request);
      since = Math.min(since, request.since);
      for (const reason of request.reasons) reasons.add(reason);
      wait(request.onQueued);
    },
    get pending() {
      return reasons.size > 0;
    },
    get oldestFor() {
      const oldest = Math.min(since, ...[...sending].map((request) => request.since));
      return Math.max(0, now() - oldest);
    },
  };
}
