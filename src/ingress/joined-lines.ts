import { createCarry } from '../audit/carry.ts';
import { isBlank } from './elements.ts';
import { createNesting, type Nesting } from './nesting.ts';

/** Of one object: more are a long list that nobody reads line by line, or no entry at all. */
const MAX_LINES = 10_000;

export interface JoinedLinesOptions {
  /** Of what is joined. */
  readonly maxBytes: number;
  /** Takes a line, or lines that are one object together; false when it is no entry. Keeps nothing of the bytes. */
  readonly take: (text: Buffer) => boolean;
  readonly onMalformed: () => void;
}

const NEWLINE = Buffer.from('\n');
const OPEN = 0x7b;

/**
 * Lines, each an entry; and entries that somebody's JSON writer has spread over several lines. What turns out to be
 * neither is taken line by line, so that a broken line never takes those after it along.
 */
export function createJoinedLines({ maxBytes, take, onMalformed }: JoinedLinesOptions) {
  const held = createHeld(maxBytes);
  let open: Nesting | undefined;

  const takeOne = (line: Buffer) => take(line) || onMalformed();
  const takeEach = (text: Buffer, ends: readonly number[]) => {
    for (const [index, end] of ends.entries()) takeOne(text.subarray(ends[index - 1] ?? 0, end));
  };
  const giveUp = () => {
    open = undefined;
    const { text, ends } = held.end();
    takeEach(text, ends);
  };
  const begin = (line: Buffer) => {
    const nesting = createNesting();
    if (!line.includes(OPEN) || !isOpenAfter(nesting, line) || !held.add(line)) return onMalformed();
    open = nesting;
  };
  const goOn = (nesting: Nesting, line: Buffer) => {
    if (!held.add(line)) {
      giveUp();
      return takeOne(line);
    }
    if (isOpenAfter(nesting, line)) return;
    open = undefined;
    const { text, ends } = held.end();
    if (nesting.depth !== 0 || !take(text)) takeEach(text, ends);
  };
  return {
    line(line: Buffer): void {
      if (isBlank(line)) return;
      if (open !== undefined) goOn(open, line);
      else if (!take(line)) begin(line);
    },
    end: giveUp,
  };
}

/** Lines that may be one object, in one buffer for all: a scanner's bytes are valid only within the call. */
function createHeld(maxBytes: number) {
  const text = createCarry(maxBytes);
  let ends: number[] = [];
  return {
    /** False when it would be too much; then it is not held. */
    add(line: Buffer): boolean {
      if (text.length + line.length + NEWLINE.length > maxBytes || ends.length === MAX_LINES) return false;
      text.append(line);
      text.append(NEWLINE);
      ends.push(text.length);
      return true;
    },
    /** What was held, valid until the next `add`, and where each of its lines ends. */
    end() {
      const held = { text: text.take(), ends };
      ends = [];
      return held;
    },
  };
}

/** No string of JSON's goes on in the next line. */
function isOpenAfter(nesting: Nesting, line: Buffer): boolean {
  for (const byte of line) nesting.take(byte);
  return nesting.depth > 0 && !nesting.quoted;
}
