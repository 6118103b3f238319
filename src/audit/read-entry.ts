import { holdsAt } from './bytes.ts';

const KEY = Buffer.from('"operation"');
/** As Go writes what follows the key of an operation that changes nothing. */
const READS = [':"read"', ':"list"', ':"scan"'].map((text) => Buffer.from(text));
/** By which any JSON writer may spell a letter of a key otherwise. */
const ESCAPE = Buffer.from('\\u');

/**
 * Whether the line is certain to be of a read, told from its bytes alone: it has a key `operation`, and each one that it
 * has stands for a read. One in a secret under log_raw, or in a token's metadata, can only make it less certain. False
 * when unsure: then the line is parsed.
 */
export function isReadEntry(line: Buffer): boolean {
  let at = line.indexOf(KEY);
  if (at < 0) return false;
  for (; at >= 0; at = line.indexOf(KEY, at)) {
    at += KEY.length;
    if (!READS.some((read) => holdsAt(line, read, at))) return false;
  }
  return !line.includes(ESCAPE);
}
