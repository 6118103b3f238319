import { writeSync } from 'node:fs';

/** What may wait for a reader that has stalled, in bytes; some five thousand lines. */
const MAX_WAITING = 1024 * 1024;
/** Between two tries while it does, in ms. */
const RETRY = 50;
/** How long the end of the program waits for it, in ms. */
const END_WITHIN = 1_000;
/** Of one call. */
const PIECE = 64 * 1024;

export interface LogStreamOptions {
  /** Writes as many of the bytes as there is room for, and throws EAGAIN when there is none. */
  readonly put: (bytes: Buffer) => number;
  /** Everything that waited is written, and so many lines before it were dropped. */
  readonly onDropped: (lines: number) => void;
  readonly maxWaiting?: number;
}

export interface LogStream {
  /** Takes whole lines. */
  write(lines: string): void;
  /** Takes them however much waits: a few that somebody waits for. */
  insist(lines: string): void;
  /** Writes what waits, and waits for the reader, but no longer than `ms`. Holds up everything else. */
  flush(ms?: number): void;
}

/**
 * Writes at once, as long as somebody reads. A reader that stalls (a log collector, a pager) would otherwise stop the
 * program within a few hundred lines, and Vault, whose audit socket nobody would read. So what there is no room for
 * waits, up to a bound, and what comes then is dropped and counted.
 */
export function createLogStream({ put, onDropped, maxWaiting = MAX_WAITING }: LogStreamOptions): LogStream {
  const waiting = createWaiting(put);
  let dropped = 0;
  let retrying = false;

  const tellDropped = () => {
    const lines = dropped;
    dropped = 0;
    if (lines > 0) onDropped(lines);
  };
  const retry = () => {
    retrying = false;
    if (waiting.tryNow()) tellDropped();
    else tryLater();
  };
  const tryLater = () => {
    if (!retrying) setTimeout(retry, RETRY).unref();
    retrying = true;
  };
  const insist = (lines: string) => {
    const idle = waiting.bytes === 0;
    waiting.add(Buffer.from(lines));
    if (idle && !waiting.tryNow()) tryLater();
  };
  return {
    insist,
    write(lines) {
      if (waiting.bytes > 0 && waiting.bytes + lines.length > maxWaiting) dropped += 1;
      else insist(lines);
    },
    flush(ms = END_WITHIN) {
      const until = performance.now() + ms;
      while (!waiting.tryNow() && performance.now() < until) Atomics.wait(NOTHING, 0, 0, 10);
      if (waiting.bytes === 0) tellDropped();
    },
  };
}

/** What could not be written yet, in its order. */
function createWaiting(put: LogStreamOptions['put']) {
  let parts: Buffer[] = [];
  const waiting = {
    bytes: 0,
    add(part: Buffer): void {
      parts.push(part);
      waiting.bytes += part.length;
    },
    /** Returns whether nothing is left. */
    tryNow(): boolean {
      let rest = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
      try {
        while (rest.length > 0) rest = rest.subarray(put(rest.subarray(0, PIECE)));
      } catch (error) {
        // No room, or a full disk: either may pass. A reader that is gone never comes back.
        if ((error as NodeJS.ErrnoException).code === 'EPIPE') rest = Buffer.alloc(0);
      }
      parts = rest.length > 0 ? [rest] : [];
      waiting.bytes = rest.length;
      return rest.length === 0;
    },
  };
  return waiting;
}

const NOTHING = new Int32Array(new SharedArrayBuffer(4));

/** The process's stderr, written out when the program ends. */
export function stderrStream(onDropped: LogStreamOptions['onDropped']): LogStream {
  const { fd } = process.stderr; // once asked for, Node has made a pipe or socket one that never blocks
  const stream = createLogStream({ put: (bytes) => writeSync(fd, bytes), onDropped });
  process.once('exit', () => stream.flush());
  return stream;
}
