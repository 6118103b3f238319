import { isBlank } from './elements.ts';
import { createNesting, type Nesting } from './nesting.ts';

export interface JoinedLinesOptions {
  /** Of what is joined. */
  readonly maxBytes: number;
  /** Takes a line, or lines that are one object together; false when it is no entry. */
  readonly take: (text: Buffer) => boolean;
  readonly onMalformed: () => void;
}

interface Open {
  readonly lines: Buffer[];
  readonly nesting: Nesting;
  bytes: number;
}

const NEWLINE = Buffer.from('\n');
const OPEN = 0x7b;

/**
 * Lines, each an entry; and entries that somebody's JSON writer has spread over several lines. What turns out to be
 * neither is taken line by line, so that a broken line never takes those after it along.
 */
export function createJoinedLines({ maxBytes, take, onMalformed }: JoinedLinesOptions) {
  let open: Open | undefined;

  const giveUp = () => {
    const lines = open?.lines ?? [];
    open = undefined;
    for (const line of lines) if (!isBlank(line) && !take(line)) onMalformed();
  };
  const begin = (line: Buffer) => {
    if (!line.includes(OPEN)) return onMalformed();
    const begun = { lines: [], nesting: createNesting(), bytes: 0 };
    append(begun, line);
    if (isOpen(begun, maxBytes)) open = begun;
    else onMalformed();
  };
  const goOn = (begun: Open, line: Buffer) => {
    append(begun, line);
    if (isOpen(begun, maxBytes)) return;
    const whole = begun.nesting.depth === 0 && begun.bytes <= maxBytes;
    if (whole && take(Buffer.concat(begun.lines.flatMap((one) => [one, NEWLINE])))) open = undefined;
    else giveUp();
  };
  return {
    line(line: Buffer): void {
      if (open !== undefined) goOn(open, line);
      else if (!isBlank(line) && !take(line)) begin(line);
    },
    end: giveUp,
  };
}

function append(open: Open, line: Buffer): void {
  open.lines.push(Buffer.from(line)); // a scanner's bytes are valid only within the call
  open.bytes += line.length + NEWLINE.length;
  for (const byte of line) open.nesting.take(byte);
}

/** No string of JSON's goes on in the next line. */
const isOpen = ({ nesting, bytes }: Open, maxBytes: number): boolean =>
  nesting.depth > 0 && !nesting.quoted && bytes <= maxBytes;
