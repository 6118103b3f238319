import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/clock.ts';

export interface ManualClock extends Clock {
  /** Lets `ms` pass: wakes each sleeper at its own time, in order, and lets it run before time goes on. */
  advance(ms: number): Promise<void>;
  /** Lets `ms` pass at once, within a call; whoever sleeps wakes at the next `advance`. */
  stall(ms: number): void;
  /** Sets the wall clock by `ms`, backwards too; the monotonic clock does not notice. */
  setWall(ms: number): void;
  readonly sleepers: number;
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** Time that passes only when the test says so. Begins at a round date, and away from zero on the monotonic side. */
export function manualClock(start: string = '2026-11-24T21:40:00.000Z'): ManualClock {
  const began = 5_000;
  let monotonic = began;
  let wall = Date.parse(start);
  const sleepers = new Set<Sleeper>();

  const next = (): Sleeper | undefined =>
    [...sleepers].reduce<Sleeper | undefined>((a, b) => (a === undefined || b.due < a.due ? b : a), undefined);
  const wakeUntil = async (end: number): Promise<void> => {
    await setImmediate();
    for (let sleeper = next(); sleeper !== undefined && sleeper.due <= end; sleeper = next()) {
      monotonic = Math.max(monotonic, sleeper.due);
      sleeper.wake();
      await setImmediate();
    }
  };

  return {
    now: () => Math.floor(wall + monotonic - began),
    monotonic: () => monotonic,
    sleep: (ms, signal) =>
      new Promise<void>((resolve) => {
        const sleeper: Sleeper = {
          due: monotonic + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        if (signal?.aborted === true) return resolve();
        signal?.addEventListener('abort', sleeper.wake);
        sleepers.add(sleeper);
      }),
    async advance(ms) {
      const end = monotonic + ms;
      await wakeUntil(end);
      monotonic = Math.max(monotonic, end);
    },
    stall(ms) {
      monotonic += ms;
    },
    setWall(ms) {
      wall += ms;
    },
    get sleepers() {
      return sleepers.size;
    },
  };
}
