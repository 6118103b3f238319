import { backoff } from '../backoff.ts';
import type { FailureCode, ReplicationError } from '../errors.ts';

/** A message that keeps failing is parked only once it is this old, in ms: a short outage is no reason. */
const PARK_AFTER_AGE = 15 * 60_000;
/** SQS moves a message to the DLQ after 100 receives, and no code would tell why: before that it is parked with one. */
const LAST_RECEIVES = 95;
/** The longest wait of those whose own is not {@link backoff}'s, in seconds. */
const LONGEST: Partial<Record<FailureCode, number>> = {
  source_stale: 5, // a standby catches up in moments, and the secret's later writes wait behind the message
};
/** The longest wait that an error may ask for, in seconds. */
const LONGEST_ASKED = 3_600;
/** Some 100 receives are then a working day, in seconds. */
const LONGEST_UNPARKED = 300;

/** Parked; given back to SQS, where the next look costs a receive; or kept by this process, where it costs none. */
export type Verdict = { readonly kind: 'park' } | { readonly kind: 'later' | 'wait'; readonly seconds: number };

export interface Failed {
  readonly receives: number;
  /** Looks that failed here since this receive, this one included. */
  readonly tries: number;
  /** Since it was sent, in ms. */
  readonly age: number;
  /** So many copies fail in the same place that it is nobody's own trouble. */
  readonly widespread: boolean;
}

/**
 * What becomes of a message whose look failed. Holds and outages say nothing about the message, so that they cost it no
 * receive, and holds are never a reason to park it. `random` is in [0, 1).
 */
export function verdict(error: ReplicationError, failed: Failed, maxReceives: number, random: number): Verdict {
  const { receives, tries, age, widespread } = failed;
  const { treatment, code, retryAfter } = error;
  if (treatment === 'permanent' || receives >= LAST_RECEIVES) return { kind: 'park' };
  const looks = treatment === 'pausing' ? receives + tries - 1 : receives;
  const spent = treatment !== 'hold' && !widespread && looks >= maxReceives && age > PARK_AFTER_AGE;
  if (spent) return { kind: 'park' };
  if (treatment === 'retryable') return { kind: 'later', seconds: backoff(receives, random) };
  if (retryAfter !== undefined) return { kind: 'wait', seconds: Math.min(Math.max(retryAfter, 1), LONGEST_ASKED) };
  const seconds = backoff(receives + tries - 1, random);
  return { kind: 'wait', seconds: Math.min(seconds, LONGEST[code] ?? Number.POSITIVE_INFINITY) };
}

/**
 * Seconds until a message is looked at again that should have been parked, when SQS takes no letter: ever longer, or
 * SQS itself would soon move it after too many receives, and no code would tell why.
 */
export const unparked = (receives: number, random: number): number =>
  Math.round(Math.min(2 ** receives, LONGEST_UNPARKED) * (1 + random / 2));
