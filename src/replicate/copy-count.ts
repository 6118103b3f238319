import type { Clock } from '../clock.ts';

/** ListSecrets may miss what was created in this time before it, in ms (ListSecrets, API reference). */
const LISTING_LAG = 300_000;

/** A copy as a listing of the destination shows it. */
export interface Counted {
  readonly name: string;
  /** It costs nothing while it waits for its end, and is not counted. */
  readonly scheduledForDeletion: boolean;
}

/** How many copies a destination holds, so that one configuration cannot create without end. */
export interface CopyCount<C extends Counted = Counted> {
  readonly max: number;
  /**
   * Takes a place for a copy that is about to be created; false when `max` are there. The first one lists the
   * destination, and throws what the listing throws: what cannot be counted is not created.
   */
  take(name: string): Promise<boolean>;
  /** The copy was not created after all. */
  giveBack(name: string): void;
  /** The destination's copies. A listing that is read to its end is the new count. */
  list(): AsyncGenerator<C>;
}

/**
 * The count is the last listing's, and what this process created that it may have missed. Several workers, each with a
 * count of its own, may overshoot a little.
 */
export function createCopyCount<C extends Counted>(
  listing: () => AsyncIterable<C>,
  max: number,
  clock: Pick<Clock, 'monotonic'>,
): CopyCount<C> {
  /** Names that the last listing did not show, and when their places were taken. */
  const taken = new Map<string, number>();
  /** NaN until the first listing. */
  let listed = Number.NaN;
  let counting: Promise<void> | undefined;

  const forget = (seen: ReadonlySet<string>, began: number): void => {
    for (const [name, at] of taken) if (seen.has(name) || at < began - LISTING_LAG) taken.delete(name);
  };
  async function* list(): AsyncGenerator<C> {
    const began = clock.monotonic();
    const seen = new Set<string>();
    let count = 0;
    for await (const copy of listing()) {
      if (taken.has(copy.name)) seen.add(copy.name);
      if (!copy.scheduledForDeletion) count += 1;
      yield copy;
    }
    listed = count;
    forget(seen, began);
  }
  const countOnce = async (): Promise<void> => {
    for await (const _ of list());
  };
  return {
    max,
    list,
    async take(name) {
      if (Number.isNaN(listed)) {
        counting ??= countOnce().finally(() => {
          counting = undefined;
        });
        await counting;
      }
      if (taken.has(name)) return true;
      if (listed + taken.size >= max) return false;
      taken.set(name, clock.monotonic());
      return true;
    },
    giveBack: (name) => void taken.delete(name),
  };
}
