import { randomBytes } from 'node:crypto';

/** Values that are written to Vault and must be found nowhere but in Secrets Manager's SecretString. */
export interface Canaries {
  /** A value never made before. All begin with one random word, so that a search for that word finds every one of them. */
  next(): string;
  /** The spellings in which a canary stands in `text`; empty when there is none. */
  spellingsIn(text: string | Buffer): string[];
}

export function createCanaries(): Canaries {
  const word = `canary${randomBytes(9).toString('hex')}`;
  const spellings = spellingsOf(word);
  return {
    next: () => `${word}.${randomBytes(6).toString('hex')}`,
    spellingsIn(text) {
      const exact = typeof text === 'string' ? text : text.toString('latin1');
      const lower = exact.toLowerCase();
      return spellings.flatMap(({ name, needle, anyCase }) =>
        (anyCase ? lower : exact).includes(needle) ? [name] : [],
      );
    },
  };
}

interface Spelling {
  readonly name: string;
  readonly needle: string;
  readonly anyCase: boolean;
}

function spellingsOf(word: string): Spelling[] {
  const bytes = [...Buffer.from(word)].map((byte) => byte.toString(16));
  const anyCase = [
    { name: 'raw', needle: word },
    { name: 'hex', needle: bytes.join('') },
    { name: 'JSON escapes', needle: bytes.map((byte) => `\\u00${byte}`).join('') },
    { name: 'percent escapes', needle: bytes.map((byte) => `%${byte}`).join('') },
    { name: 'name escapes', needle: bytes.map((byte) => `=${byte}`).join('') },
  ].map((spelling) => ({ ...spelling, anyCase: true }));
  const base64 = [0, 1, 2].map((shift) => ({ name: 'base64', needle: base64Within(word, shift), anyCase: false }));
  return [...anyCase, ...base64, ...base64.map(urlSafe)];
}

/** The characters of the word's base64 that stay the same whatever stands around it, when it begins `shift` bytes into a group of three. */
function base64Within(word: string, shift: number): string {
  const before = Math.ceil((shift * 8) / 6);
  const whole = Math.floor(((shift + word.length) * 8) / 6);
  return Buffer.concat([Buffer.alloc(shift), Buffer.from(word)])
    .toString('base64')
    .slice(before, whole);
}

const urlSafe = (spelling: Spelling): Spelling => ({
  ...spelling,
  name: 'base64url',
  needle: spelling.needle.replaceAll('+', '-').replaceAll('/', '_'),
});
