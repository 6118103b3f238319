const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set(Buffer.from('{['));
const CLOSING: ReadonlySet<number> = new Set(Buffer.from('}]'));

/** Where in a JSON text its reader stands. Only what well-formed JSON means: whether it is, JSON.parse decides. */
export interface Nesting {
  take(byte: number): void;
  /** How many objects and arrays are open. */
  readonly depth: number;
  /** Inside a string, where no byte but the closing quote means anything. */
  readonly quoted: boolean;
}

export function createNesting(): Nesting {
  let depth = 0;
  let quoted = false;
  let escaped = false;
  const takeQuoted = (byte: number) => {
    if (escaped) escaped = false;
    else if (byte === BACKSLASH) escaped = true;
    else if (byte === QUOTE) quoted = false;
  };
  return {
    take(byte) {
      if (quoted) takeQuoted(byte);
      else if (byte === QUOTE) quoted = true;
      else if (OPENING.has(byte)) depth += 1;
      else if (CLOSING.has(byte)) depth -= 1;
    },
    get depth() {
      return depth;
    },
    get quoted() {
      return quoted;
    },
  };
}
