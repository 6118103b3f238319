import { type CarryRoom, createCarry } from './carry.ts';
import { type MarkerSearch, SEARCHED_BYTES } from './marker-search.ts';
import { isReadEntry } from './read-entry.ts';
import { isRequestEntry } from './request-entry.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

interface LineScannerOptions {
  /** A line is of interest when it holds one of its markers; without a search every line is. */
  readonly search?: MarkerSearch | undefined;
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
  const { maxLineBytes, room, onLine, onSkipped } = options;
  const counts = { bytes: 0, lines: 0, handed: 0, skipped: 0 };
  const carry = createCarry(maxLineBytes, room);
  const hand = (line: Buffer): void => {
    counts.handed += 1;
    onLine(line);
  };
  const skip = (length: number): void => {
    counts.skipped += 1;
    onSkipped(length);
  };
  const sorter = createSorter(options.search, hand, counts);
  const endCarried = (): void => {
    const { length, lost } = carry;
    const line = carry.take();
    counts.lines += 1;
    if (lost) skip(length);
    else sorter.one(withoutReturn(line, 0, length));
  };
  /** A piece has at most maxLineBytes, so only a line that was carried can be longer. */
  const take = (piece: Buffer): void => {
    const ending = carry.length > 0 ? piece.indexOf(NEWLINE) : -1;
    if (ending >= 0) {
      carry.append(piece.subarray(0, ending));
      endCarried();
    }
    const lines = carry.length > 0 ? NONE : piece.subarray(ending + 1, piece.lastIndexOf(NEWLINE) + 1);
    sorter.many(lines);
    carry.append(piece.subarray(ending + 1 + lines.length));
  };
  const pieceBytes = Math.min(maxLineBytes, SEARCHED_BYTES);
  return {
    push(chunk) {
      counts.bytes += chunk.length;
      if (chunk.length <= pieceBytes) take(chunk);
      else for (let at = 0; at < chunk.length; at += pieceBytes) take(chunk.subarray(at, at + pieceBytes));
    },
    end() {
      if (carry.lost) skip(carry.length);
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
    counts,
  };
}

const NONE = Buffer.alloc(0);

type Hand = (line: Buffer) => void;

/** Decides which of the ended lines are handed over. */
function createSorter(search: MarkerSearch | undefined, hand: Hand, counts: { lines: number }) {
  const handUnlessHarmless = (line: Buffer): void => {
    if (!isRequestEntry(line) && !isReadEntry(line)) hand(line);
  };
  const handMarked = (lines: Buffer, { within }: MarkerSearch): void => {
    const searched = within(lines);
    counts.lines += searched.newlines;
    for (let at = searched.next(0); at < lines.length; ) {
      const end = lines.indexOf(NEWLINE, at);
      handUnlessHarmless(withoutReturn(lines, lines.lastIndexOf(NEWLINE, at) + 1, end));
      at = searched.next(end + 1);
    }
  };
  const sorter = {
    everyLine: search === undefined,
    /** Takes a line without its newline, which was counted. */
    one(line: Buffer): void {
      if (search === undefined || sorter.everyLine) hand(line);
      else if (search.holds(line)) handUnlessHarmless(line);
    },
    /** Takes lines with their newlines, and counts them. */
    many(lines: Buffer): void {
      let start = 0;
      while (start < lines.length && (search === undefined || sorter.everyLine)) {
        const end = newlineFrom(lines, start);
        counts.lines += 1;
        hand(withoutReturn(lines, start, end));
        start = end + 1;
      }
      if (search !== undefined && start < lines.length) handMarked(lines.subarray(start), search);
    },
  };
  return sorter;
}

/** An empty line is seen without a call: a megabyte of newlines would be a million of them. */
const newlineFrom = (bytes: Buffer, start: number): number =>
  bytes[start] === NEWLINE ? start : bytes.indexOf(NEWLINE, start);

const withoutReturn = (bytes: Buffer, start: number, end: number): Buffer =>
  bytes.subarray(start, end > start && bytes[end - 1] === RETURN ? end - 1 : end);
