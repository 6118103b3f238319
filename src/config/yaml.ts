import { LineCounter, parseDocument } from 'yaml';
import { ConfigError, type Finding } from './errors.ts';

// The parser's own messages may quote the file, and a line of the file may hold a secret; so only its codes are used.
const MESSAGES: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias has no valid name',
  BAD_DQ_ESCAPE: 'an invalid escape in a double-quoted text',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping begins inside a line; quote a text that holds ": "',
  DUPLICATE_KEY: 'this key stands in its mapping twice',
  MISSING_CHAR: 'a closing quote, bracket or comma is missing',
  MULTIPLE_DOCS: 'a second document begins; there can be only one',
  NON_STRING_KEY: 'a key is neither a word nor a quoted text',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
};

const syntaxError = (lines: LineCounter, code: string, offset: number): Finding => {
  const { line, col } = lines.linePos(offset);
  return { path: [], text: `line ${line}, column ${col}: ${MESSAGES[code] ?? 'this is not valid YAML'}` };
};

/**
 * The tree that a YAML or JSON text describes; an empty text is an empty mapping.
 * Throws a ConfigError that names line and column and never quotes the text.
 */
export function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  // Without logLevel the parser would print warnings of its own, with pieces of the text in them.
  const options = { lineCounter: lines, prettyErrors: false, stringKeys: true, logLevel: 'error' } as const;
  const document = guarded('the file is nested too deeply', () => parseDocument(text, options));
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map(({ code, pos }) => syntaxError(lines, code, pos[0])));
  }
  return guarded('a YAML alias has no anchor before it, or aliases multiply without end', () => document.toJS()) ?? {};
}

/** Leaves out the cause on purpose: its message names the alias, which is a piece of the text. */
function guarded<T>(text: string, step: () => T): T {
  try {
    return step();
  } catch {
    throw new ConfigError([{ path: [], text }]);
  }
}
