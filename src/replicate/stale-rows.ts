import type { Clock } from '../clock.ts';

/** How long stale answers must have come in an unbroken row before they are believed, in ms. */
const BELIEVED_AFTER = 120_000;
/** A row that no look has touched for this long is over, in ms. */
const FORGOTTEN_AFTER = 900_000;

export interface StaleRows {
  /**
   * True when this key's answers have been stale for so long that they are the truth (a restored snapshot), and so long
   * after the message was sent: a row says nothing of a write that was told of since, nor of one after its last answer.
   * @param sentAt of the message, in ms on the queue's clock; without it the row alone counts
   */
  believed(key: string, sentAt?: number): boolean;
  note(key: string, stale: boolean, sentAt?: number): void;
}

interface Row {
  readonly first: number;
  readonly last: number;
}

/** Since when each ref's answers have been older than what was seen before, in this process's memory. */
export function createStaleRows(clock: Pick<Clock, 'monotonic'>): StaleRows {
  /** In the order in which they were touched. */
  const rows = new Map<string, Row>();
  const latestSent = createLatestSent(clock);
  const forget = (now: number) => {
    for (const [key, { last }] of rows) {
      if (now - last <= FORGOTTEN_AFTER) return;
      rows.delete(key);
    }
  };
  /** The row as far as it tells of what was sent then. */
  const rowOf = (key: string, sent: number): Row | undefined => {
    const row = rows.get(key);
    return row === undefined || row.last < sent ? undefined : row;
  };
  return {
    believed(key, sentAt) {
      const now = clock.monotonic();
      forget(now); // first: what was stale long ago says nothing of an answer of today
      const sent = latestSent(sentAt);
      const row = rowOf(key, sent);
      return row !== undefined && now - Math.max(row.first, sent) >= BELIEVED_AFTER;
    },
    note(key, stale, sentAt) {
      const now = clock.monotonic();
      forget(now);
      const row = rowOf(key, latestSent(sentAt));
      rows.delete(key);
      if (stale) rows.set(key, { first: row?.first ?? now, last: now });
    },
  };
}

/**
 * When a message was sent at the latest, on our clock that never jumps. Nothing is received before it was sent, so each
 * message tells how far the queue's clock is ahead of ours at least, whatever our wall clock says.
 */
function createLatestSent(clock: Pick<Clock, 'monotonic'>): (sentAt: number | undefined) => number {
  let ahead = Number.NEGATIVE_INFINITY;
  return (sentAt) => {
    if (sentAt === undefined) return Number.NEGATIVE_INFINITY;
    ahead = Math.max(ahead, sentAt - clock.monotonic());
    return sentAt - ahead;
  };
}
