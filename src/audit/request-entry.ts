import { holdsAt } from './bytes.ts';

const HEAD = Buffer.from('{"time":"');
const AFTER_TIME = Buffer.from(',"type":"request"');
const TAIL = Buffer.from(',"type":"request"}');
const OPEN = 0x7b;
const QUOTE = 0x22;

/**
 * Whether the line is an entry that Vault wrote before the commit, told from its bytes alone. Only the two places are
 * looked at where `type` can be nothing but the entry's own: right after `{"time":"…"` (OpenBao, Vault to 1.15), and
 * right before the last `}` (later Vault sorts the keys). Anywhere else the same bytes may be a secret's own key under
 * log_raw, and must not hide a change. False when unsure: then the line is parsed.
 */
export const isRequestEntry = (line: Buffer): boolean => endsWith(line, TAIL) || beginsAsRequest(line);

function beginsAsRequest(line: Buffer): boolean {
  const open = line[0] === OPEN ? 0 : line.indexOf(OPEN);
  if (open < 0 || !holdsAt(line, HEAD, open)) return false;
  let close = open + HEAD.length;
  while (close < line.length && line[close] !== QUOTE) close += 1;
  return holdsAt(line, AFTER_TIME, close + 1);
}

const endsWith = (line: Buffer, tail: Buffer): boolean =>
  line.length >= tail.length && holdsAt(line, tail, line.length - tail.length);
