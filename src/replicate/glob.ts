import picomatch from 'picomatch';
import { MAX_NAME } from './name.ts';

type PathTest = (path: string) => boolean;

/** What only picomatch understands: classes, groups, alternatives, negations, escapes. */
const EXOTIC = /[[\]{}()!|\\"]/;
/** Alternatives of plain text, which are as many globs. Not right after `**`, where picomatch lets them cross slashes. */
const ALTERNATIVES = /^([^(]*?)(?<!\*\*)\{(?![^}]*\.\.)((?:[^[\]{}()!|\\"*?,]+,)+[^[\]{}()!|\\"*?,]+)\}(?!\+)(.*)$/s;
const MAX_SETS = 3;
/** A `*` more, and picomatch's expression might try each cut of a long path into four. */
const MAX_STARS = 2;

/**
 * Tests paths by globs as picomatch understands them, in time that grows with the path's length alone: a forged path
 * must not keep Vault waiting, and an expression that backtracks takes minutes over a few `*` and 2,000 letters.
 *
 * A part that only picomatch understands is not asked about what is longer than any name in Secrets Manager; it `takes`
 * such a path or does not. A path that is taken is then told of as one without a valid name.
 */
export function pathTest(globs: readonly string[], takes: boolean): PathTest {
  if (globs.includes('**')) return () => true; // also what `.` in an expression would miss (line breaks)
  const tests = globs.flatMap((glob) => alternatives(glob)).map((glob) => compile(glob, takes));
  return (path) => globs.includes(path) || tests.some((test) => test(path));
}

/** A repeated group that may take one text in several ways: each further letter could double what matching costs. */
const REPEATED = /[+*]\([^)]*[|*+({]|[)}]\+/;

/** Whether a part that picomatch is asked about holds so many `*`, or such a group, that matching it might take long. */
export const isCostly = (glob: string): boolean =>
  alternatives(glob).some((one) => {
    const parts = segmentsOf(one);
    return parts === undefined ? isSlow(one) : parts.some((part) => EXOTIC.test(part) && isSlow(part));
  });

const isSlow = (part: string): boolean => starsIn(part) > MAX_STARS || REPEATED.test(part);

const starsIn = (part: string): number => part.match(/\*+|\+\(|\]\+/g)?.length ?? 0;

/** `a/{b,c}/**` is `a/b/**` and `a/c/**`; further sets of alternatives are left to picomatch, lest they multiply. */
function alternatives(glob: string, sets = MAX_SETS): string[] {
  const [, before, inner, after] = (sets > 0 && ALTERNATIVES.exec(glob)) || [];
  if (inner === undefined) return [glob];
  return inner.split(',').flatMap((one) => alternatives(`${before}${one}${after}`, sets - 1));
}

/** The segments; undefined where a part may reach over a slash or be empty, so that picomatch must have the glob whole. */
function segmentsOf(glob: string): string[] | undefined {
  const segments = glob.split('/');
  const isWhole = (segment: string) =>
    !['', '.'].includes(segment) && !crosses(segment) && isBalanced(segment, /[[({]/g, /[\])}]/g);
  return REACHING.test(glob) || !segments.every(isWhole) ? undefined : segments;
}

/** A negation, quotes, an alternative that is empty or may be. */
const REACHING = /^!|"|\{\**,|\{.*,\**,|,\**\}/s;
/** By one of picomatch's short cuts `**.txt` is `**` and `/*.txt`, though `a**.txt` is not. */
const ANY_WITH_EXTENSION = /^\*\*(?=(\.\w+)+$)/;

const crosses = (segment: string): boolean =>
  segment.endsWith('\\') || segment.includes('!(') || (segment.includes('**') && EXOTIC.test(segment));

const isBalanced = (text: string, open: RegExp, close: RegExp): boolean =>
  text.match(open)?.length === text.match(close)?.length;

function compile(glob: string, takes: boolean): PathTest {
  const parts = segmentsOf(glob.replace(ANY_WITH_EXTENSION, '**/*'));
  if (parts === undefined) return exotic(glob, takes);
  const tests = atLeastOne(parts).map((part) => (part === '**' ? MANY : segment(part, takes)));
  return (path) => matches(tests, MANY, path.split('/'), (test, text) => test(text));
}

/** `a/**` takes `a` too; after a `*` picomatch's `/**` wants something below. */
function atLeastOne(parts: readonly string[]): string[] {
  const few = parts.filter((part, i) => part !== '**' || parts[i - 1] !== '**');
  const [last, before = ''] = few.toReversed();
  return last === '**' && before.endsWith('*') ? [...few.slice(0, -1), '*', '**'] : few;
}

const MANY: PathTest = () => true;

function segment(glob: string, takes: boolean): PathTest {
  if (EXOTIC.test(glob)) return exotic(glob, takes);
  if (!/[*?]/.test(glob)) return (text) => text === glob;
  const characters = glob.replace(/\*+/g, '*').split('');
  return (text) =>
    text !== '' && matches(characters, '*', text, (character, given) => character === '?' || character === given);
}

function exotic(glob: string, takes: boolean): PathTest {
  const expression = picomatch.makeRe(glob, { dot: true });
  return (text) => (text.length > MAX_NAME ? takes : expression.test(text));
}

/**
 * Whether the pattern fits the row, where `many` stands for any number of them. Only the last `many` ever
 * has to take one more, so this costs pattern times row at most.
 */
function matches<T>(
  pattern: readonly T[],
  many: T,
  row: ArrayLike<string>,
  fits: (token: T, one: string) => boolean,
): boolean {
  let [next, at, star, taken] = [0, 0, -1, 0];
  for (let one = row[at]; one !== undefined; one = row[at]) {
    const token = pattern[next];
    if (token === many) {
      star = next;
      taken = at;
      next += 1;
    } else if (token !== undefined && fits(token, one)) {
      next += 1;
      at += 1;
    } else if (star < 0) return false;
    else {
      taken += 1;
      at = taken;
      next = star + 1;
    }
  }
  while (pattern[next] === many) next += 1;
  return next === pattern.length;
}
