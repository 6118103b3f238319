import type { AuditEntry } from '../audit/entry.ts';
import { createLineScanner } from '../audit/lines.ts';
import type { MarkerSearch } from '../audit/marker-search.ts';
import { createElementSplitter, isBlank } from './elements.ts';
import { createJoinedLines } from './joined-lines.ts';
import { LEAST_ENTRY_BYTES, readEntry } from './wrapped.ts';

const ARRAY = 0x5b;
const NEWLINE = Buffer.from('\n');
/** Every entry of Vault's holds this, wrapped or not. */
const REQUEST = Buffer.from('"request');
/** So many numbers of entries are named in an answer. */
const NAMED = 10;

export interface EntryReaderOptions {
  /** An entry of interest holds one of its markers. */
  readonly search: Pick<MarkerSearch, 'holds'>;
  /** Bound of one entry. */
  readonly maxLineBytes: number;
  readonly onEntry: (entry: AuditEntry) => void;
}

/** Entries that were not taken: their numbers, counted from 1, as far as they are named. */
export interface Rejected {
  readonly count: number;
  readonly numbers: readonly number[];
}

export interface Read {
  readonly bytes: number;
  /** Entries that can change nothing here; they were not parsed. */
  readonly irrelevant: number;
  readonly malformed: Rejected;
  readonly tooLong: Rejected;
}

/** Reads a webhook's body as it comes: one entry, lines of them, or a JSON array of them; never more than one at once. */
export interface EntryReader {
  push(chunk: Buffer): void;
  end(): Read;
}

export function createEntryReader(options: EntryReaderOptions): EntryReader {
  const { maxLineBytes } = options;
  const tally = createTally();
  const take = createTaker(options, tally);
  const onTooLong = () => tally.reject('tooLong');
  const onMalformed = () => tally.reject('malformed');
  let reader: Pick<EntryReader, 'push'> & { end(): void } = {
    push(chunk) {
      if (isBlank(chunk)) return;
      const begin = chunk.findIndex((byte) => !isBlank(Buffer.of(byte)));
      reader = chunk[begin] === ARRAY ? arrayReader() : lineReader();
      reader.push(chunk.subarray(begin));
    },
    end() {},
  };
  const lineReader = () => {
    const lines = createJoinedLines({ maxBytes: maxLineBytes, take, onMalformed });
    const onSkipped = () => {
      lines.end(); // no object holds such a line, and each before it has a number of its own
      onTooLong();
    };
    const scanner = createLineScanner({ maxLineBytes, onLine: lines.line, onSkipped });
    const end = () => {
      scanner.push(NEWLINE);
      lines.end();
    };
    return { push: scanner.push, end };
  };
  const arrayReader = () => {
    const onElement = (element: Buffer) => take(element) || onMalformed();
    const splitter = createElementSplitter({ maxBytes: maxLineBytes, onElement, onTooLong });
    return { push: splitter.push, end: () => splitter.end() || onMalformed() };
  };
  return {
    push(chunk) {
      tally.bytes += chunk.length;
      reader.push(chunk);
    },
    end() {
      reader.end();
      const { bytes, irrelevant, malformed, tooLong } = tally;
      return { bytes, irrelevant, malformed, tooLong };
    },
  };
}

/** Reads one text; false when it is no entry. What holds no marker and looks like an entry is not parsed. */
function createTaker({ search, onEntry }: EntryReaderOptions, tally: ReturnType<typeof createTally>) {
  return (text: Buffer): boolean => {
    if (text.length < LEAST_ENTRY_BYTES) return false;
    const irrelevant = !search.holds(text) && text.includes(REQUEST);
    const entry = irrelevant ? undefined : readEntry(text);
    if (!irrelevant && entry === undefined) return false;
    tally.number += 1;
    if (entry === undefined) tally.irrelevant += 1;
    else onEntry(entry);
    return true;
  };
}

function createTally() {
  const rejected = () => ({ count: 0, numbers: [] as number[] });
  const tally = {
    bytes: 0,
    number: 0,
    irrelevant: 0,
    malformed: rejected(),
    tooLong: rejected(),
    reject(why: 'malformed' | 'tooLong') {
      tally.number += 1;
      tally[why].count += 1;
      if (tally[why].numbers.length < NAMED) tally[why].numbers.push(tally.number);
    },
  };
  return tally;
}
