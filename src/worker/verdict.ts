import { backoff } from '../backoff.ts';
import type { ReplicationError } from '../errors.ts';

/** A message that keeps failing is parked only once it is this old, in ms: a short outage is no reason. */
const PARK_AFTER_AGE = 15 * 60_000;
/** A version budget frees slowly: asking sooner only costs receives, in seconds. */
const BUDGET_DELAY = 300;
/** A standby catches up in moments, and the secret's later writes wait behind the message, in seconds. */
const LONGEST_STALE = 5;
/** Some 100 receives are then a working day, in seconds. */
const LONGEST_UNPARKED = 300;

export type Verdict = { readonly kind: 'park' } | { readonly kind: 'later'; readonly seconds: number };

/** What becomes of a message whose look failed. `random` is in [0, 1). */
export function verdict(
  error: ReplicationError,
  { receives, age }: { readonly receives: number; readonly age: number },
  maxReceives: number,
  random: number,
): Verdict {
  if (error.treatment === 'permanent') return { kind: 'park' };
  const spent = error.treatment !== 'hold' && receives >= maxReceives && age > PARK_AFTER_AGE;
  if (spent) return { kind: 'park' };
  if (error.code === 'version_budget') return { kind: 'later', seconds: BUDGET_DELAY };
  const seconds = backoff(receives, random);
  return { kind: 'later', seconds: error.code === 'source_stale' ? Math.min(seconds, LONGEST_STALE) : seconds };
}

/**
 * Seconds until a message is looked at again that should have been parked, when SQS takes no letter: ever longer, or
 * SQS itself would soon move it after too many receives, and no code would tell why.
 */
export const unparked = (receives: number, random: number): number =>
  Math.round(Math.min(2 ** receives, LONGEST_UNPARKED) * (1 + random / 2));
