import type { Outgoing } from '../queue/ports.ts';

/** Told once the message that carries the change, or a newer one of the same copy, is on the queue. */
export type OnQueued = () => void;

/** One copy that may have changed, as the message that will say so. */
export interface Dirty {
  /** What is coalesced: one copy of one ref. */
  readonly key: string;
  /** For the log. */
  readonly about: { readonly ref: string; readonly destination: string };
  readonly message: Outgoing;
  /** The audit entry's time in digits of one width, "" when it has none; the newest entry's hints are kept. */
  readonly auditTime: string;
  /** It tells of a version or of a purge, which Vault's answer is held against. */
  readonly telling: boolean;
  readonly onQueued: readonly OnQueued[];
}

/**
 * The copies that changed since they were last sent: one place for each, however often it changed. Past `limit` copies
 * it stops telling them apart, and one look at everything is asked for instead.
 */
export interface DirtyCopies {
  /** Past the limit everything that waits is let go, and its `onQueued` are handed to `overflow`. */
  add(dirty: Dirty): void;
  /** The oldest of those that are not being sent right now; they count as being sent until `sent` or `giveBack`. */
  take(max: number, maxBytes: number): Dirty[];
  sent(batch: readonly Dirty[]): void;
  /** A newer change of the same copy stays, and answers for both. */
  giveBack(batch: readonly Dirty[]): void;
  /** How many are waiting or being sent. */
  readonly size: number;
  /** True when something could be taken. */
  readonly ready: boolean;
}

/** @param overflow receives what waited for the dropped copies' messages */
export function createDirtyCopies(limit: number, overflow: (onQueued: readonly OnQueued[]) => void): DirtyCopies {
  const waiting = new Map<string, Dirty>();
  const sending = new Set<string>();

  return {
    add(dirty) {
      const before = waiting.get(dirty.key);
      waiting.set(dirty.key, before === undefined ? dirty : merged(before, dirty));
      if (waiting.size <= limit) return;
      const onQueued = [...waiting.values()].flatMap((dropped) => dropped.onQueued);
      waiting.clear();
      overflow(onQueued);
    },
    take(max, maxBytes) {
      const batch: Dirty[] = [];
      let bytes = 0;
      for (const dirty of waiting.values()) {
        if (sending.has(dirty.key)) continue;
        const size = Buffer.byteLength(dirty.message.body);
        if (batch.length === max || (batch.length > 0 && bytes + size > maxBytes)) break;
        bytes += size;
        batch.push(dirty);
      }
      for (const { key } of batch) {
        waiting.delete(key);
        sending.add(key);
      }
      return batch;
    },
    sent(batch) {
      for (const { key, onQueued } of batch) {
        sending.delete(key);
        for (const told of onQueued) told();
      }
    },
    giveBack(batch) {
      for (const dirty of batch) {
        sending.delete(dirty.key);
        const newer = waiting.get(dirty.key);
        waiting.set(dirty.key, newer === undefined ? dirty : merged(dirty, newer));
      }
    },
    get size() {
      return waiting.size + sending.size;
    },
    get ready() {
      for (const key of waiting.keys()) if (!sending.has(key)) return true;
      return false;
    },
  };
}

/**
 * One message for both: the newer one's, but what tells nothing (metadata, a soft delete) never takes the place of what
 * does. It has the later entry's id in any case: SQS may have taken the earlier one though the call failed, and would
 * swallow it. Whichever came first, all who wait are told.
 */
function merged(before: Dirty, next: Dirty): Dirty {
  const { deduplicationId } = next.message;
  const kept = supersedes(next, before) ? next : { ...before, message: { ...before.message, deduplicationId } };
  if (before.onQueued.length === 0 && next.onQueued.length === 0) return kept;
  return { ...kept, onQueued: [...before.onQueued, ...next.onQueued] };
}

const supersedes = (next: Dirty, before: Dirty): boolean =>
  next.telling === before.telling ? next.auditTime >= before.auditTime : next.telling;
