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
  /** Past the limit everything that waits is let go, and `overflow` is told. */
  add(dirty: Dirty): void;
  /** The oldest of those that are not being sent right now; they count as being sent until `sent` or `giveBack`. */
  take(max: number, maxBytes: number): Dirty[];
  sent(batch: readonly Dirty[]): void;
  /** The queue will never take it: it is let go, and nobody is told that it is there. */
  refused(dirty: Dirty): void;
  /** A newer change of the same copy stays, and answers for both. */
  giveBack(batch: readonly Dirty[]): void;
  /** How many are waiting or being sent. */
  readonly size: number;
  /** True when so many could be taken. */
  has(count: number): boolean;
  /** How long the oldest has been dirty, in ms; 0 when none is. */
  readonly oldestFor: number;
}

/** With the time at which the copy became dirty, and an array of its own for those who wait for its message. */
type Kept = Dirty & { readonly since: number; readonly onQueued: OnQueued[] };

/** What is let go: who waited for its messages, and how many copies it was. */
export type Overflow = (onQueued: readonly OnQueued[], dropped: number) => void;

/**
 * @param now a clock in ms; without one nothing has an age
 */
export function createDirtyCopies(limit: number, overflow: Overflow, now: () => number = () => 0): DirtyCopies {
  const waiting = new Map<string, Kept>();
  const sending = new Map<string, number>();

  return {
    add(dirty) {
      const before = waiting.get(dirty.key);
      waiting.set(dirty.key, before === undefined ? kept(dirty, now()) : merged(before, dirty));
      if (waiting.size <= limit) return;
      const onQueued = [...waiting.values()].flatMap((dropped) => dropped.onQueued);
      const dropped = waiting.size;
      waiting.clear();
      overflow(onQueued, dropped);
    },
    take(max, maxBytes) {
      const batch = batchOf(waiting.values(), sending, max, maxBytes);
      for (const { key, since } of batch) {
        waiting.delete(key);
        sending.set(key, since);
      }
      return batch;
    },
    sent(batch) {
      for (const { key, onQueued } of batch) {
        sending.delete(key);
        for (const told of onQueued) told();
      }
    },
    refused: ({ key }) => void sending.delete(key),
    giveBack(batch) {
      for (const dirty of batch) {
        const before = kept(dirty, sending.get(dirty.key) ?? now());
        sending.delete(dirty.key);
        const newer = waiting.get(dirty.key);
        waiting.set(dirty.key, newer === undefined ? before : merged(before, newer));
      }
    },
    get size() {
      return waiting.size + sending.size;
    },
    has(count) {
      let left = count;
      for (const key of waiting.keys()) {
        if (!sending.has(key)) left -= 1;
        if (left === 0) return true;
      }
      return false;
    },
    get oldestFor() {
      return ageOfOldest(now(), waiting.values(), sending.values());
    },
  };
}

function ageOfOldest(now: number, waiting: Iterable<Kept>, sending: Iterable<number>): number {
  let oldest = now;
  for (const { since } of waiting) oldest = Math.min(oldest, since);
  for (const since of sending) oldest = Math.min(oldest, since);
  return now - oldest;
}

/** What a batch takes next: as many as it may, in their order. */
function batchOf(waiting: Iterable<Kept>, sending: ReadonlyMap<string, number>, max: number, maxBytes: number): Kept[] {
  const batch: Kept[] = [];
  let bytes = 0;
  for (const dirty of waiting) {
    if (sending.has(dirty.key)) continue;
    const size = Buffer.byteLength(dirty.message.body);
    if (batch.length === max || (batch.length > 0 && bytes + size > maxBytes)) break;
    bytes += size;
    batch.push(dirty);
  }
  return batch;
}

const kept = (dirty: Dirty, since: number): Kept => withSince(dirty, dirty.message, since, [...dirty.onQueued]);

/** Spelled out: a spread costs ten times as much, and each change is copied here. */
const withSince = (
  { key, about, auditTime, telling }: Dirty,
  message: Outgoing,
  since: number,
  onQueued: OnQueued[],
): Kept => ({ key, about, message, auditTime, telling, since, onQueued });

/**
 * One message for both: the newer one's, but what tells nothing (metadata, a soft delete) never takes the place of what
 * does. It has the later entry's id in any case: SQS may have taken the earlier one though the call failed, and would
 * swallow it. Whichever came first, all who wait are told; they join those before in place, since a hot secret in a
 * large body is merged thirty thousand times.
 */
function merged(before: Kept, next: Dirty): Kept {
  const { since, onQueued } = before;
  for (const told of next.onQueued) onQueued.push(told);
  if (supersedes(next, before)) return withSince(next, next.message, since, onQueued);
  const { deduplicationId } = next.message;
  return withSince(before, { ...before.message, deduplicationId }, since, onQueued);
}

const supersedes = (next: Dirty, before: Dirty): boolean =>
  next.telling === before.telling ? next.auditTime >= before.auditTime : next.telling;
