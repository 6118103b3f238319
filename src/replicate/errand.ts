import type { Clock } from '../clock.ts';
import { ReplicationError } from '../errors.ts';
import type { Limiter, Need } from '../limiter.ts';
import type { Errand } from './destination.ts';
import { formatRef, type SecretRef } from './ref.ts';

/** What was read from Vault may be acted upon for this long, in ms. */
const FRESH_FOR = 10_000;
/** A shorter wait for a turn is no reason to look again, which would gain less, in ms. */
const LONG_WAIT = 1_000;

/** One order on its way through its looks, as the replicator leads it. */
export interface OwnErrand extends Errand {
  /** A look begins: what it reads is fresh from now on. */
  look(): void;
  stillFresh(): void;
  /** What looks were lost to that nobody else's hand took: the wait for a turn, or else what is slow to answer. */
  lostTo(): 'wait' | 'age' | undefined;
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
  let lostTo: 'wait' | 'age' | undefined;

  const fresh = (during: number) => {
    const age = clock.monotonic() - began;
    if (age <= during) return;
    if (age - waited <= FRESH_FOR) lostTo = 'wait';
    else lostTo ??= 'age';
    const text = `what Vault said of ${formatRef(ref)} is ${Math.round(age / 1000)} s old: it is looked at again`;
    throw new ReplicationError('promotion_conflict', text);
  };
  /** For how long, in ms. */
  const wait = async (limiter: Limiter, need: Need): Promise<number> => {
    const asked = clock.monotonic();
    await limiter.turn(need);
    const took = clock.monotonic() - asked;
    waited += took;
    return took;
  };
  return {
    look() {
      began = clock.monotonic();
      waited = 0;
    },
    stillFresh: () => fresh(FRESH_FOR),
    async turn(limiter, { calls = 1, ...need } = {}) {
      const there = held.get(limiter) ?? 0;
      const lacking = calls - there;
      const took = lacking > 0 ? await wait(limiter, { ...need, calls: lacking }) : 0;
      const turns = Math.max(there, calls);
      held.set(limiter, turns);
      // What follows must be fresh then, too. Where it was no line that took the time, the next look would be as old.
      fresh(took > LONG_WAIT ? FRESH_FOR / calls : FRESH_FOR);
      held.set(limiter, turns - 1);
    },
    lostTo: () => lostTo,
    end(throttled) {
      if (!throttled) for (const [limiter, calls] of held) if (calls > 0) limiter.giveBack(calls);
      held.clear();
    },
  };
}
