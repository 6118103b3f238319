import { type CarryRoom, createCarry } from './carry.ts';
import { createMarkerSearch } from './marker-search.ts';
import { isReadEntry } from './read-entry.ts';
import { isRequestEntry } from './request-entry.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

interface LineScannerOptions {
  /** A line is of interest when it holds one of these; none is empty or holds a newline. */
  readonly markers: readonly Buffer[];
  /** Longer lines are skipped; the newline does not count, a `\r` before it does. */
  readonly maxLineBytes: number;
  /** Shared with other streams: when their unfinished lines need too much memory together, the longest is skipped. */
  readonly room?: CarryRoom | undefined;
  /** Takes a line without its ending. Its bytes are valid only until it returns. */
  readonly onLine: (line: Buffer) => void;
  /** Takes the length of a line that was too long, once it has ended. */
  readonly onSkipped: (bytes: number) => void;
}

export interface LineCounts {
  /** All bytes that came in. */
  readonly bytes: number;
  /** Ended lines, whatever became of them. */
  readonly lines: number;
  /** Lines given to onLine. */
  readonly handed: number;
  /** Lines over maxLineBytes, or the longest where `room` was short. */
  readonly skipped: number;
}

export interface LineScanner {
  /** Hands over each line, of interest or not: so that a new connection can be known by its first valid entry. */
  everyLine: boolean;
  push(chunk: Buffer): void;
  /** The stream is over. What came after the last newline is not a line: whoever knows better pushes a newline first. */
  end(): void;
  readonly counts: LineCounts;
  /** Bytes held for the line that has not ended; never more than maxLineBytes. */
  readonly retainedBytes: number;
}

/**
 * Cuts a stream of bytes into lines (`\n` or `\r\n`) and hands over those of interest: they hold a marker, and are
 * neither Vault's entries from before the commit nor of reads. What comes out never depends on how the stream was cut into chunks.
 */
export function createLineScanner(options: LineScannerOptions): LineScanner {
  const search = createMarkerSearch(options.markers);
  const carry = createCarry(options.maxLineBytes, options.room);
  const sorter = createSorter(options);

  const endCarried = (): void => {
    const { length, lost } = carry;
    const line = carry.take();
    if (lost) sorter.lose(length);
    else sorter.sort(line, 0, length, search(line));
  };
  const sortWholeLines = (chunk: Buffer, from: number): number => {
    const nextMarker = search(chunk);
    let start = from;
    for (let end = newlineFrom(chunk, start); end >= 0; end = newlineFrom(chunk, start)) {
      sorter.sort(chunk, start, end, nextMarker);
      start = end + 1;
    }
    return start;
  };
  return {
    push(chunk) {
      sorter.counts.bytes += chunk.length;
      const ending = carry.length > 0 ? chunk.indexOf(NEWLINE) : -1;
      if (ending >= 0) {
        carry.append(chunk.subarray(0, ending));
        endCarried();
      }
      const rest = carry.length > 0 ? 0 : sortWholeLines(chunk, ending + 1);
      carry.append(chunk.subarray(rest));
    },
    end() {
      if (carry.lost) sorter.skip(carry.length);
      carry.end();
    },
    get everyLine() {
      return sorter.everyLine;
    },
    set everyLine(on) {
      sorter.everyLine = on;
    },
    get retainedBytes() {
      return carry.retainedBytes;
    },
    counts: sorter.counts,
  };
}

/** Decides what becomes of each ended line. */
function createSorter({ maxLineBytes, onLine, onSkipped }: LineScannerOptions) {
  const counts = { bytes: 0, lines: 0, handed: 0, skipped: 0 };
  const hand = (line: Buffer): void => {
    counts.handed += 1;
    onLine(line);
  };
  const handUnlessHarmless = (line: Buffer): void => {
    if (!isRequestEntry(line) && !isReadEntry(line)) hand(line);
  };
  const sorter = {
    everyLine: false,
    counts,
    /** Takes the line that `bytes` holds from `start` to `end`, and the search for the next marker in them. */
    sort(bytes: Buffer, start: number, end: number, nextMarker: (from: number) => number): void {
      counts.lines += 1;
      if (end - start > maxLineBytes) sorter.skip(end - start);
      else if (sorter.everyLine) hand(withoutReturn(bytes, start, end));
      else if (nextMarker(start) < end) handUnlessHarmless(withoutReturn(bytes, start, end));
    },
    /** Counts an ended line whose bytes were not kept. */
    lose(length: number): void {
      counts.lines += 1;
      sorter.skip(length);
    },
    skip(length: number): void {
      counts.skipped += 1;
      onSkipped(length);
    },
  };
  return sorter;
}

/** An empty line is seen without a call: a megabyte of newlines would be a million of them. */
const newlineFrom = (bytes: Buffer, start: number): number =>
  bytes[start] === NEWLINE ? start : bytes.indexOf(NEWLINE, start);

const withoutReturn = (bytes: Buffer, start: number, end: number): Buffer =>
  bytes.subarray(start, end > start && bytes[end - 1] === RETURN ? end - 1 : end);
