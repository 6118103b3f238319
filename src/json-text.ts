/**
 * JSON kept as text. Parsing into JavaScript objects would round big integers, respell numbers, reorder integer-like
 * keys and lose duplicates, so a secret's value is cut out of the answer's text and never parsed.
 */

interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The exact text of the member at `path`, a list of keys from the outermost object in. Keys are compared unescaped and
 * the last of several equal keys counts, as JSON.parse has it. Undefined when there is no such member or `text` is not JSON.
 */
export function memberText(text: string, path: readonly string[]): string | undefined {
  if (!isJson(text)) return undefined;
  let span: Span | undefined = spanAt(text, spaceEnd(text, 0));
  for (const key of path) {
    span = span && member(text, span.start, key);
  }
  return span && text.slice(span.start, span.end);
}

/** An object's members by key, each in its exact text; of several equal keys, the last one. Undefined for all else. */
export function memberTexts(text: string): ReadonlyMap<string, string> | undefined {
  const start = spaceEnd(text, 0);
  if (text[start] !== '{' || !isJson(text)) return undefined;
  return new Map(Array.from(members(text, start), ({ key, span }) => [key, text.slice(span.start, span.end)]));
}

/**
 * The text as people wrote it: Go's HTML escapes of `<`, `>` and `&` undone, white space between tokens dropped.
 * Every other spelling (numbers, other escapes, key order, duplicates) stays. Total and idempotent.
 */
export function renderValue(raw: string): string {
  let out = '';
  for (let at = 0; at < raw.length; ) {
    const inString = raw.charCodeAt(at) === QUOTE;
    const end = inString ? stringEnd(raw, at) : nextQuote(raw, at);
    const piece = raw.slice(at, end);
    out += inString ? undoHtmlEscapes(piece) : piece.replace(/[ \t\r\n]+/g, '');
    at = end;
  }
  return out;
}

// Every escape is matched whole, so that the second half of an escaped backslash cannot begin another one.
const undoHtmlEscapes = (literal: string): string =>
  literal.replace(/\\(?:u00(3[cCeE]|26)|[\s\S])/g, (spelling: string, code: string | undefined) =>
    code === undefined ? spelling : String.fromCharCode(Number.parseInt(code, 16)),
  );

// Well-formedness is settled once here, which lets the scanner below trust the grammar; the parsed value is thrown away.
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function member(text: string, start: number, wanted: string): Span | undefined {
  if (text[start] !== '{') return undefined;
  let found: Span | undefined;
  for (const { key, span } of members(text, start)) if (key === wanted) found = span;
  return found;
}

/** The members of the object that begins at `start`. */
function* members(text: string, start: number): Generator<{ readonly key: string; readonly span: Span }> {
  let at = spaceEnd(text, start + 1);
  while (text[at] !== '}') {
    const keyEnd = stringEnd(text, at);
    const span = spanAt(text, spaceEnd(text, spaceEnd(text, keyEnd) + 1));
    yield { key: String(JSON.parse(text.slice(at, keyEnd))), span };
    at = spaceEnd(text, span.end);
    if (text[at] === ',') at = spaceEnd(text, at + 1);
  }
}

function spanAt(text: string, start: number): Span {
  const first = text[start];
  if (first === '"') return { start, end: stringEnd(text, start) };
  return { start, end: first === '{' || first === '[' ? nestedEnd(text, start) : scalarEnd(text, start) };
}

// Counts brackets instead of recursing: nesting is as deep as the sender likes.
function nestedEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const char = text[at];
    if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    at = char === '"' ? stringEnd(text, at) : at + 1;
  } while (depth > 0);
  return at;
}

function scalarEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at += 1;
  return at;
}

function spaceEnd(text: string, start: number): number {
  let at = start;
  while (/\s/.test(text.charAt(at))) at += 1;
  return at;
}

function stringEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

function nextQuote(text: string, start: number): number {
  const at = text.indexOf('"', start);
  return at < 0 ? text.length : at;
}
