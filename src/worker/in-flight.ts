import type { Clock } from '../clock.ts';
import type { Received } from '../queue/ports.ts';

/** SQS ends every message's flight 12 h after its receive; no extension may reach there. In ms. */
const LONGEST_FLIGHT = 11 * 3_600_000;
/** A message that was hidden is received again within a long poll of its return, in ms. */
const COMES_AGAIN_WITHIN = 5_000;

/** The messages that this process holds, with when they were received (monotonic ms). */
export interface InFlight {
  /** What waits here under an older receipt is forgotten: SQS has handed it out again, and takes that one no more. */
  add(messages: readonly Received[]): void;
  remove(messages: readonly Received[]): void;
  /** They wait for `what`: no look is at them, and the common heartbeat leaves them alone. */
  setAside(messages: readonly Received[], what: string): void;
  aside(what: string): Received[];
  /** Those of them that still wait. */
  stillWaiting(messages: readonly Received[]): Received[];
  /** They are looked at again. */
  takeUp(messages: readonly Received[]): void;
  /** Lets go of them for so many seconds; until then they count for the age of the oldest. */
  hide(messages: readonly Received[], seconds: number): void;
  /** Those that may be hidden for another `visibility` ms: that are looked at or, with `what`, that wait for it. */
  extendable(visibility: number, what?: string): Received[];
  /** How many wait for anything. */
  readonly waiting: number;
  /** SentTimestamp of the oldest one that was received and not acknowledged yet, if there is any. */
  oldestSentAt(): number | undefined;
}

interface Flight {
  readonly since: number;
  readonly what?: string;
}

interface Hidden {
  readonly sentAt: number;
  readonly until: number;
}

export function createInFlight(clock: Pick<Clock, 'monotonic'>): InFlight {
  const flights = new Map<Received, Flight>();
  const hidden = new Map<string, Hidden>();
  let waiting = 0;

  const change = (message: Received, flight: Flight | undefined) => {
    if (flights.get(message)?.what !== undefined) waiting -= 1;
    if (flight?.what !== undefined) waiting += 1;
    if (flight === undefined) flights.delete(message);
    else flights.set(message, flight);
  };
  const since = (message: Received) => flights.get(message)?.since ?? clock.monotonic();
  const those = (what: string | undefined) => [...flights].filter(([, flight]) => flight.what === what);

  return {
    add(messages) {
      const ids = new Set(messages.map(({ id }) => id));
      for (const [older, { what }] of [...flights])
        if (what !== undefined && ids.has(older.id)) change(older, undefined);
      for (const message of messages) {
        change(message, { since: clock.monotonic() });
        hidden.delete(message.id);
      }
    },
    stillWaiting: (messages) => messages.filter((message) => flights.get(message)?.what !== undefined),
    remove(messages) {
      for (const message of messages) change(message, undefined);
    },
    setAside(messages, what) {
      for (const message of messages) change(message, { since: since(message), what });
    },
    aside: (what) => those(what).map(([message]) => message),
    takeUp(messages) {
      for (const message of messages) change(message, { since: since(message) });
    },
    hide(messages, seconds) {
      forgetPast(hidden, clock.monotonic());
      const until = clock.monotonic() + seconds * 1000 + COMES_AGAIN_WITHIN;
      for (const { id, sentAt } of messages) hidden.set(id, { sentAt, until });
    },
    extendable(visibility, what) {
      const latest = clock.monotonic() + visibility - LONGEST_FLIGHT;
      return those(what).flatMap(([message, { since }]) => (since >= latest ? [message] : []));
    },
    get waiting() {
      return waiting;
    },
    oldestSentAt() {
      forgetPast(hidden, clock.monotonic());
      const times = [...flights.keys(), ...hidden.values()].map(({ sentAt }) => sentAt);
      return times.reduce<number | undefined>((oldest, time) => Math.min(oldest ?? time, time), undefined);
    },
  };
}

function forgetPast(hidden: Map<string, Hidden>, now: number): void {
  for (const [id, { until }] of hidden) if (until <= now) hidden.delete(id);
}
