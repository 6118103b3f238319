import { createCarry } from '../audit/carry.ts';
import { createNesting } from './nesting.ts';

const COMMA = 0x2c;
const CLOSE = 0x5d;
const SPACES: ReadonlySet<number> = new Set(Buffer.from(' \t\r\n'));

/** Whether there is nothing but JSON's white space. */
export const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => SPACES.has(byte));

export interface ElementSplitterOptions {
  /** Longer elements are only measured. */
  readonly maxBytes: number;
  /** Takes an element with the white space around it. Its bytes are valid only until it returns. */
  readonly onElement: (element: Buffer) => void;
  readonly onTooLong: (bytes: number) => void;
}

export interface ElementSplitter {
  push(chunk: Buffer): void;
  /** The bytes are over; true if they were an array, closed, and nothing after it. */
  end(): boolean;
}

/**
 * Cuts a JSON array into the texts of its elements, however it comes in chunks: from its opening bracket on, holding no
 * more than one element. The bytes are an array exactly if every element is JSON and `end` says so; an element that is
 * missing between commas comes out blank.
 */
export function createElementSplitter({ maxBytes, onElement, onTooLong }: ElementSplitterOptions): ElementSplitter {
  const carry = createCarry(maxBytes);
  const nesting = createNesting();
  let state: 'unopened' | 'open' | 'closed' | 'broken' = 'unopened';
  let elements = 0;

  const endElement = (last: boolean) => {
    const { length } = carry;
    const element = carry.take();
    if (last && elements === 0 && length <= maxBytes && isBlank(element)) return; // `[ ]`
    elements += 1;
    if (length > maxBytes) onTooLong(length);
    else onElement(element);
  };
  /** Reads on inside the array from `start`; returns where it ended, or the chunk's length. */
  const pushOpen = (chunk: Buffer, from: number): number => {
    let start = from;
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk.readUInt8(at);
      const separates = byte === COMMA && nesting.depth === 1 && !nesting.quoted;
      nesting.take(byte);
      if (!separates && nesting.depth > 0) continue;
      carry.append(chunk.subarray(start, at));
      endElement(!separates);
      start = at + 1;
      if (separates) continue;
      state = byte === CLOSE ? 'closed' : 'broken';
      return start;
    }
    carry.append(chunk.subarray(start));
    return chunk.length;
  };
  return {
    push(chunk) {
      let at = 0;
      if (state === 'unopened' && chunk.length > 0) {
        nesting.take(chunk.readUInt8(0));
        state = 'open';
        at = 1;
      }
      if (state === 'open') at = pushOpen(chunk, at);
      if (state === 'closed' && !isBlank(chunk.subarray(at))) state = 'broken';
    },
    end: () => state === 'closed',
  };
}
