import type { Clock } from './clock.ts';

/** The least share of the ceiling that throttling can bring a limiter down to. */
const FLOOR = 1 / 16;
/** How much of the ceiling comes back each second without throttling. */
const RECOVERY_PER_SECOND = 1 / 60;
/** What a sum of parts may miss of whole tokens. */
const SLACK = 1e-6;

/** What a turn is asked for. */
export interface Need {
  /** Calls that belong together and are let go together; one unless told. */
  readonly calls?: number;
  /** Ends what was begun, and goes before those who would begin something. */
  readonly first?: boolean;
}

export interface Limiter {
  /** Resolves when it is the caller's turn. Turns are given in the order in which they were asked for, `first` ones first. */
  turn(need?: Need): Promise<void>;
  /** So many calls were not made after all. */
  giveBack(calls: number): void;
  /** AWS throttled: half the rate from here, recovering slowly, so that workers share a quota without talking. */
  throttled(): void;
}

interface Waiter {
  readonly calls: number;
  readonly go: () => void;
}

/** Evenly spaced turns at `perSecond`, with a burst of up to one second's worth, or one need's, after idleness. */
export function createLimiter(perSecond: number, clock: Clock): Limiter {
  const urgent: Waiter[] = [];
  const others: Waiter[] = [];
  let rate = perSecond;
  let tokens = perSecond;
  let countedAt = clock.monotonic();
  let serving = false;

  const add = (more: number, room = 1) => {
    tokens = Math.min(Math.max(rate, room), tokens + more);
  };
  const recount = (room?: number) => {
    const now = clock.monotonic();
    const seconds = (now - countedAt) / 1000;
    countedAt = now;
    rate = Math.min(perSecond, rate + seconds * perSecond * RECOVERY_PER_SECOND);
    add(seconds * rate, room);
  };
  /** Only the first in the line counts, so that a rate that changes meanwhile changes everybody's wait and no order. */
  const serve = async () => {
    for (let next = urgent[0] ?? others[0]; next !== undefined; next = urgent[0] ?? others[0]) {
      recount(next.calls);
      const lacking = next.calls - tokens;
      if (lacking > SLACK) await clock.sleep(Math.min(lacking / rate, 1) * 1000);
      else {
        tokens -= next.calls;
        (next === urgent[0] ? urgent : others).shift();
        next.go();
      }
    }
    serving = false;
  };
  return {
    turn: ({ calls = 1, first = false } = {}) =>
      new Promise((go) => {
        (first ? urgent : others).push({ calls, go });
        if (serving) return;
        serving = true;
        void serve();
      }),
    giveBack: add,
    throttled() {
      recount();
      rate = Math.max(perSecond * FLOOR, rate / 2);
      tokens = 0;
    },
  };
}
