import type { Letter } from './letter.ts';

/** The least characters of an id that may stand for it. */
export const SHORTEST_PREFIX = 6;
/** What a list shows of an id, unless two letters share so much. */
const SHOWN_PREFIX = 8;

/** Letters that were asked for by id, and ids that name none or several. */
export interface Selection<L> {
  readonly letters: readonly L[];
  readonly unknown: readonly string[];
  readonly ambiguous: readonly string[];
}

/** Finds letters by id or by the beginning of one, each once, in the order in which they were asked for. */
export function selectById<L extends Pick<Letter, 'id'>>(letters: readonly L[], ids: readonly string[]): Selection<L> {
  const found = new Map<string, L>();
  const unknown: string[] = [];
  const ambiguous: string[] = [];
  for (const id of ids) {
    const [first, ...others] = matches(letters, id);
    if (first === undefined) unknown.push(id);
    else if (others.length > 0) ambiguous.push(id);
    else found.set(first.id, first);
  }
  return { letters: [...found.values()], unknown, ambiguous };
}

function matches<L extends Pick<Letter, 'id'>>(letters: readonly L[], id: string): L[] {
  const exact = letters.filter((letter) => letter.id === id);
  return exact.length > 0 ? exact : letters.filter((letter) => letter.id.startsWith(id));
}

/** The beginning of each id that tells it from the others, by id: at least eight characters. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...ids].sort();
  const shorts = sorted.map((id, index) => {
    const shared = Math.max(common(id, sorted[index - 1]), common(id, sorted[index + 1]));
    return [id, id.slice(0, Math.max(SHOWN_PREFIX, shared + 1))] as const;
  });
  return new Map(shorts);
}

function common(one: string, other = ''): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
