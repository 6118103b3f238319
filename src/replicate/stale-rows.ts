import type { Clock } from '../clock.ts';

/** How long stale answers must have come in an unbroken row before they are believed, in ms. */
const BELIEVED_AFTER = 120_000;
/** A row that no look has touched for this long is over, in ms. */
const FORGOTTEN_AFTER = 900_000;

export interface StaleRows {
  /**
   * True when this key's answers have been stale for so long that they are the truth (a restored snapshot), and so long
   * after `sentAt`, in ms since the epoch: a row that is old already says nothing of a write that was told of since.
   */
  believed(key: string, sentAt?: number): boolean;
  note(key: string, stale: boolean): void;
}

/** Since when each ref's answers have been older than what was seen before, in this process's memory. */
export function createStaleRows(clock: Pick<Clock, 'now' | 'monotonic'>): StaleRows {
  const rows = new Map<string, { readonly first: number; last: number }>();
  const forget = (now: number) => {
    for (const [key, { last }] of rows) if (now - last > FORGOTTEN_AFTER) rows.delete(key);
  };
  return {
    believed(key, sentAt = 0) {
      const now = clock.monotonic();
      forget(now); // first: what was stale long ago says nothing of an answer of today
      const row = rows.get(key);
      return row !== undefined && now - row.first >= BELIEVED_AFTER && clock.now() - sentAt >= BELIEVED_AFTER;
    },
    note(key, stale) {
      const now = clock.monotonic();
      forget(now);
      const row = rows.get(key);
      if (!stale) rows.delete(key);
      else if (row === undefined) rows.set(key, { first: now, last: now });
      else row.last = now;
    },
  };
}
