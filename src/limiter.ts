import type { Clock } from './clock.ts';

/** The least share of the ceiling that throttling can bring a limiter down to. */
const FLOOR = 1 / 16;
/** How much of the ceiling comes back each second without throttling. */
const RECOVERY_PER_SECOND = 1 / 60;

export interface Limiter {
  /** Resolves when it is the caller's turn. */
  turn(): Promise<void>;
  /** AWS throttled: half the rate from here, recovering slowly, so that workers share a quota without talking. */
  throttled(): void;
}

/** Evenly spaced turns at `perSecond`, with a burst of up to one second's worth after idleness. */
export function createLimiter(perSecond: number, clock: Clock): Limiter {
  let rate = perSecond;
  let rateAt = clock.monotonic();
  let tokens = perSecond;
  let tokensAt = rateAt;

  const recover = (now: number) => {
    rate = Math.min(perSecond, rate + ((now - rateAt) / 1000) * perSecond * RECOVERY_PER_SECOND);
    rateAt = now;
  };
  const refill = (now: number) => {
    tokens = Math.min(rate, tokens + ((now - tokensAt) / 1000) * rate);
    tokensAt = now;
  };
  return {
    async turn() {
      const now = clock.monotonic();
      recover(now);
      refill(now);
      tokens -= 1; // may go below zero: each caller waits for its own place in the line
      if (tokens < 0) await clock.sleep((-tokens / rate) * 1000);
    },
    throttled() {
      const now = clock.monotonic();
      recover(now);
      refill(now);
      rate = Math.max(perSecond * FLOOR, rate / 2);
      tokens = Math.min(tokens, 0);
    },
  };
}
