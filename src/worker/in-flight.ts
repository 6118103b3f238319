import type { Clock } from '../clock.ts';
import type { Received } from '../queue/ports.ts';

/** SQS ends every message's flight 12 h after its receive; no extension may reach there. In ms. */
const LONGEST_FLIGHT = 11 * 3_600_000;

/** The messages that this process holds, with when they were received (monotonic ms). */
export interface InFlight {
  add(messages: readonly Received[]): void;
  remove(messages: readonly Received[]): void;
  /** Those that may be hidden for another `visibility` ms. */
  extendable(visibility: number): Received[];
  readonly size: number;
  /** SentTimestamp of the oldest one, if there is any. */
  oldestSentAt(): number | undefined;
}

export function createInFlight(clock: Pick<Clock, 'monotonic'>): InFlight {
  const flights = new Map<Received, number>();
  return {
    add(messages) {
      for (const message of messages) flights.set(message, clock.monotonic());
    },
    remove(messages) {
      for (const message of messages) flights.delete(message);
    },
    extendable(visibility) {
      const latest = clock.monotonic() + visibility - LONGEST_FLIGHT;
      return [...flights].flatMap(([message, since]) => (since >= latest ? [message] : []));
    },
    get size() {
      return flights.size;
    },
    oldestSentAt() {
      return flights.size === 0 ? undefined : Math.min(...[...flights.keys()].map(({ sentAt }) => sentAt));
    },
  };
}
