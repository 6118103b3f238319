import type { Clock } from '../clock.ts';
import type { OnQueued } from './dirty.ts';

/** Counts the messages of one request, and those of them that are on the queue, by themselves or by newer ones. */
export interface QueuedTally {
  readonly onQueued: OnQueued;
  expect(messages: number): void;
  /** True once all that was expected is on the queue; false when that takes longer than `ms`. */
  all(ms: number, clock: Clock): Promise<boolean>;
}

export function createQueuedTally(): QueuedTally {
  let expected = 0;
  let told = 0;
  let complete = () => {};
  return {
    onQueued() {
      told += 1;
      if (told === expected) complete();
    },
    expect(messages) {
      expected += messages;
    },
    async all(ms, clock) {
      if (told === expected || ms === 0) return told === expected;
      const queued = new Promise<void>((resolve) => {
        complete = resolve;
      });
      const late = new AbortController();
      const inTime = await Promise.race([queued.then(() => true), clock.sleep(ms, late.signal).then(() => false)]);
      late.abort();
      return inTime;
    },
  };
}
