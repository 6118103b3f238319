import { backoff } from '../backoff.ts';
import type { ReplicationError } from '../errors.ts';

/** A message that keeps failing is parked only once it is this old, in ms: a short outage is no reason. */
const PARK_AFTER_AGE = 15 * 60_000;
/** A version budget frees slowly: asking sooner only costs receives, in seconds. */
const BUDGET_DELAY = 300;

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
  return { kind: 'later', seconds: backoff(receives, random) };
}
