import type { ListedCopy } from '../replicate/destination.ts';

/** A destination's copies by name, each handed out once. */
export interface IndexOfCopies {
  add(copy: ListedCopy): void;
  /** How many there were that are there to stay. */
  readonly count: number;
  take(name: string): ListedCopy | undefined;
  /** Those that were never taken. */
  rest(): Iterable<ListedCopy>;
}

/** Kept as text: a hundred thousand copies are some 70 MB so, and twice that as objects. */
export function createIndexOfCopies(): IndexOfCopies {
  const texts = new Map<string, string>();
  let count = 0;
  return {
    add(copy) {
      texts.set(copy.name, JSON.stringify({ ...copy, stages: [...copy.stages] }));
      if (!copy.scheduledForDeletion) count += 1;
    },
    get count() {
      return count;
    },
    take(name) {
      const text = texts.get(name);
      texts.delete(name);
      return text === undefined ? undefined : copyOf(text);
    },
    *rest() {
      for (const text of texts.values()) yield copyOf(text);
    },
  };
}

function copyOf(text: string): ListedCopy {
  const { stages, ...copy } = JSON.parse(text) as Omit<ListedCopy, 'stages'> & { stages: [string, string[]][] };
  return { ...copy, stages: new Map(stages) };
}
