import type { Clock } from '../clock.ts';
import { ReplicationError } from '../errors.ts';
import type { Limiter, Need } from '../limiter.ts';
import type { Errand } from './destination.ts';
import { formatRef, type SecretRef } from './ref.ts';

/** What was read from Vault may be acted upon for this long, in ms. */
const FRESH_FOR = 10_000;

/** One order on its way through its looks, as the replicator leads it. */
export interface OwnErrand extends Errand {
  /** A look begins: what it reads is fresh from now on. */
  look(): void;
  stillFresh(): void;
  /** Whether a look was lost to nothing but the wait for a turn. */
  cameLate(): boolean;
  /** What was waited for and not used goes to others, unless AWS has just throttled. */
  end(throttled: boolean): void;
}

/**
 * A look that was overtaken, by a stall or in the line for a turn, must not be acted upon: what it read may have been
 * replaced since. The turn stays with the order, so that its next look acts at once and nobody waits twice for one write.
 */
export function createErrand(clock: Pick<Clock, 'monotonic'>, ref: SecretRef): OwnErrand {
  const held = new Map<Limiter, number>();
  let began = clock.monotonic();
  let waited = 0;
  let late = false;

  const fresh = (during: number) => {
    const age = clock.monotonic() - began;
    if (age <= during) return;
    late ||= age - waited <= during;
    const text = `what Vault said of ${formatRef(ref)} is ${Math.round(age / 1000)} s old: it is looked at again`;
    throw new ReplicationError('promotion_conflict', text);
  };
  /** How many turns are held then. */
  const wait = async (limiter: Limiter, { calls = 1, ...need }: Need): Promise<number> => {
    const there = held.get(limiter) ?? 0;
    const lacking = calls - there;
    if (lacking <= 0) return there;
    const asked = clock.monotonic();
    await limiter.turn({ ...need, calls: lacking });
    waited += clock.monotonic() - asked;
    held.set(limiter, calls);
    return calls;
  };
  return {
    look() {
      began = clock.monotonic();
      waited = 0;
    },
    stillFresh: () => fresh(FRESH_FOR),
    async turn(limiter, need = {}) {
      const turns = await wait(limiter, need);
      fresh(FRESH_FOR / (need.calls ?? 1)); // what follows must be fresh then, too
      held.set(limiter, turns - 1);
    },
    cameLate: () => late,
    end(throttled) {
      if (!throttled) for (const [limiter, calls] of held) if (calls > 0) limiter.giveBack(calls);
      held.clear();
    },
  };
}
