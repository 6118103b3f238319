import { backoff } from '../backoff.ts';

/** Time and chance, for tests to bring their own. */
export interface Timing {
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export const realTiming: Timing = { now: () => performance.now(), random: Math.random };

export interface Spaced<T> {
  /** The act's result, or the error of the failure that must be waited out. */
  run(): Promise<T>;
  /** What seemed to have succeeded turned out to be a failure. */
  fail(error: unknown): void;
}

/** A success that lasted so long ends the row of failures, in ms. */
const PROVEN = 10_000;

/**
 * Lets `act` run once for all who ask meanwhile. After a failure the next run waits, longer after each (backoff.ts);
 * whoever asks sooner is given the failure's error at once, so that nothing can make a storm of it.
 */
export function createSpaced<T>(act: () => Promise<T>, { now, random }: Timing): Spaced<T> {
  let running: Promise<T> | undefined;
  let failures = 0;
  let last: { readonly error: unknown; readonly until: number } | undefined;
  let succeededAt: number | undefined;
  const fail = (error: unknown): void => {
    if (succeededAt !== undefined && now() - succeededAt >= PROVEN) failures = 0;
    succeededAt = undefined;
    failures += 1;
    last = { error, until: now() + backoff(failures, random()) * 1000 };
  };
  const attempt = async (): Promise<T> => {
    try {
      const result = await act();
      succeededAt = now();
      return result;
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  return {
    fail,
    run: () => {
      if (running !== undefined) return running;
      if (last !== undefined && now() < last.until) return Promise.reject(last.error);
      running = attempt().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}
