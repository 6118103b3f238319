import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** Lines of one connection without a single entry among them, after which that is worth a word. */
const SUSPICIOUS = 100;
/** One word in this time, in ms: strangers may come back as often as they like. */
const LOGGED_EVERY = 60_000;

const TEXT =
  "of a connection's first hundred lines none is an audit entry: is it a JSON device, and its prefix free of braces?";

/** What became of the lines of one connection. */
export interface Readability {
  malformed(lines: number): void;
  entry(): void;
}

/** Warns of a connection that sends lines and never an entry: a device whose lines all go unread would look like none. */
export function createUnreadable({ clock, log }: { clock: Pick<Clock, 'monotonic'>; log: Log }): () => Readability {
  let last = Number.NEGATIVE_INFINITY;
  const warn = () => {
    if (clock.monotonic() - last < LOGGED_EVERY) return;
    last = clock.monotonic();
    log.warn({ event: 'audit.unreadable', text: TEXT });
  };
  return () => {
    let left = SUSPICIOUS;
    return {
      malformed(lines) {
        const before = left;
        left -= lines;
        if (before > 0 && left <= 0) warn();
      },
      entry() {
        left = Number.POSITIVE_INFINITY;
      },
    };
  };
}
