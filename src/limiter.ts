import type { Clock } from './clock.ts';

/** The least share of the ceiling that throttling can bring a limiter down to. */
const FLOOR = 1 / 16;
/** How much of the ceiling comes back each second without throttling. */
const RECOVERY_PER_SECOND = 1 / 60;
/** A turn is a whole token but for what a sum of parts misses it by. */
const WHOLE = 1 - 1e-6;

export interface Limiter {
  /** Resolves when it is the caller's turn. Turns are given in the order in which they were asked for. */
  turn(): Promise<void>;
  /** AWS throttled: half the rate from here, recovering slowly, so that workers share a quota without talking. */
  throttled(): void;
}

/** Evenly spaced turns at `perSecond`, with a burst of up to one second's worth after idleness. */
export function createLimiter(perSecond: number, clock: Clock): Limiter {
  let rate = perSecond;
  let tokens = perSecond;
  let countedAt = clock.monotonic();
  let line = Promise.resolve();

  const recount = () => {
    const now = clock.monotonic();
    const seconds = (now - countedAt) / 1000;
    countedAt = now;
    rate = Math.min(perSecond, rate + seconds * perSecond * RECOVERY_PER_SECOND);
    tokens = Math.min(Math.max(rate, 1), tokens + seconds * rate);
  };
  /** Only the first in the line counts, so that a rate that changes meanwhile changes everybody's wait and no order. */
  const take = async () => {
    for (recount(); tokens < WHOLE; recount()) await clock.sleep(Math.min((1 - tokens) / rate, 1) * 1000);
    tokens -= 1;
  };
  return {
    turn() {
      line = line.then(take);
      return line;
    },
    throttled() {
      recount();
      rate = Math.max(perSecond * FLOOR, rate / 2);
      tokens = 0;
    },
  };
}
