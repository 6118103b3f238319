import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Inbox, Received } from '../queue/ports.ts';
import type { Gate } from './gate.ts';
import type { InFlight } from './in-flight.ts';

/** How long they are hidden at a time: no longer than a message may wait should this process be killed. In ms. */
const HIDDEN_FOR = 5 * 60_000;
/** Leaves time for a second try, in ms. */
const EXTENDED_EVERY = 2 * 60_000;

export interface DeferralOptions {
  readonly inbox: Inbox;
  readonly gate: Pick<Gate, 'up'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Messages that wait for a part while others go on. They take no place, and cost no receive for as long as 11 h. */
export interface Deferral {
  /** Hides the messages until the part is up, then gives them back. */
  defer(messages: readonly Received[], part: string): Promise<void>;
  /** After the signal has aborted: resolves when everything was given back. */
  ended(): Promise<void>;
}

export function createDeferral(options: DeferralOptions, inFlight: InFlight, signal: AbortSignal): Deferral {
  const { inbox, gate, clock, log } = options;
  const waiting = new Set<string>();
  const holds = new Set<Promise<void>>();
  const hide = (messages: readonly Received[], ms: number) =>
    inbox.hide(messages, ms / 1000).catch((error: unknown) => log.warn({ event: 'queue.unsettled', err: error }));

  const hold = async (part: string) => {
    const over = new AbortController();
    void gate.up(part, signal).then(() => over.abort());
    for (;;) {
      await clock.sleep(EXTENDED_EVERY, over.signal);
      if (over.signal.aborted) break;
      await hide(inFlight.extendable(HIDDEN_FOR, part), HIDDEN_FOR);
    }
    waiting.delete(part);
    const back = inFlight.deferred(part);
    inFlight.remove(back);
    if (back.length > 0) await hide(back, 0);
  };
  const start = (part: string) => {
    waiting.add(part);
    const held = hold(part).finally(() => holds.delete(held));
    holds.add(held);
  };
  return {
    async defer(messages, part) {
      inFlight.defer(messages, part); // first, so that no heartbeat shortens the wait
      if (!waiting.has(part)) start(part);
      await hide(messages, HIDDEN_FOR); // in vain if they were given back meanwhile: SQS hides only what is in flight
    },
    ended: async () => {
      await Promise.all(holds);
    },
  };
}
