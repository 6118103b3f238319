import type { Clock } from '../../src/clock.ts';
import type { Random } from './random.ts';

/** When every simulation begins. */
const BEGINNING = Date.parse('2026-11-24T21:40:00.000Z');

/** A program that runs, stalls or is gone; its timers and the answers to its calls wait and die with it. */
export interface Process {
  readonly name: string;
  alive: boolean;
  /** Until then nothing of it runs, in virtual ms. */
  stalledUntil: number;
}

/** How late what waits for a stalled process notices that it goes on, in ms. */
const ASKED_EVERY = 5_000;

export interface Task {
  readonly cancel: () => void;
}

interface Planned {
  readonly time: number;
  readonly order: number;
  readonly run: () => void;
  readonly owner: Process | undefined;
  cancelled: boolean;
}

/** Virtual time and all that waits for it; among what is due at once, chance decides. */
export interface Scheduler {
  /** Virtual milliseconds since the beginning. */
  readonly now: number;
  readonly steps: number;
  /** Wall clock of the virtual world, ms since the epoch. */
  wall(): number;
  /** Runs `run` in `delay` ms; with an owner, only while that is alive, and not before it goes on. */
  after(delay: number, run: () => void, owner?: Process): Task;
  /** Runs one task and everything that follows from it; false when there is none before `end`. */
  step(end: number): Promise<boolean>;
  clockOf(owner: Process): Clock;
}

export function createScheduler(random: Random): Scheduler {
  const heap: Planned[] = [];
  let now = 0;
  let steps = 0;

  const after: Scheduler['after'] = (delay, run, owner) => {
    const task = { time: now + Math.max(0, delay), order: random(), run, owner, cancelled: false };
    push(heap, task);
    return {
      cancel: () => {
        task.cancelled = true;
      },
    };
  };
  const nextBefore = (end: number): Planned | undefined => {
    for (let first = heap[0]; first !== undefined && first.time <= end; first = heap[0]) {
      pop(heap);
      const { owner } = first;
      if (first.cancelled || owner?.alive === false) continue;
      if (owner === undefined || owner.stalledUntil <= first.time) return first;
      // Asked again and again: a stall may end earlier than was planned.
      push(heap, { ...first, time: Math.min(owner.stalledUntil, first.time + ASKED_EVERY), order: random() });
    }
    return undefined;
  };
  return {
    get now() {
      return now;
    },
    get steps() {
      return steps;
    },
    wall: () => Math.floor(BEGINNING + now),
    after,
    async step(end) {
      const task = nextBefore(end);
      if (task === undefined) {
        now = Math.max(now, end);
        return false;
      }
      now = Math.max(now, task.time);
      steps += 1;
      task.run();
      await settled();
      return true;
    },
    clockOf: (owner) => ({
      now: () => Math.floor(BEGINNING + now),
      monotonic: () => now,
      sleep: (ms, signal) => sleep(after, ms, owner, signal),
    }),
  };
}

function sleep(after: Scheduler['after'], ms: number, owner: Process, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => {
      task.cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const task = after(ms, wake, owner);
    signal?.addEventListener('abort', wake);
  });
}

/** Every promise that could go on has gone on: a macrotask begins only once the microtasks are done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isBefore = (a: Planned, b: Planned): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

function push(heap: Planned[], task: Planned): void {
  let index = heap.length;
  heap.push(task);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(task, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = task;
}

function pop(heap: Planned[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const [one, other] = [heap[left], heap[left + 1]];
    if (one === undefined) break;
    const [child, at] = other !== undefined && isBefore(other, one) ? [other, left + 1] : [one, left];
    if (!isBefore(child, last)) break;
    heap[index] = child;
    index = at;
  }
  heap[index] = last;
}
