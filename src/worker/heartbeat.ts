import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Inbox } from '../queue/ports.ts';
import { hideTogether } from './hide.ts';
import type { InFlight } from './in-flight.ts';

interface HeartbeatOptions {
  readonly inbox: Inbox;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a received message is hidden, in ms. */
  readonly visibility: number;
}

export interface Heartbeat {
  /** Resolves when no beat is on its way: what is hidden or given back after that stays so. */
  quiet(): Promise<void>;
  /** Resolves once the signal has aborted and the last beat is over. */
  readonly ended: Promise<void>;
}

/** Keeps what is looked at hidden from other workers until the signal aborts. */
export function startHeartbeat(options: HeartbeatOptions, inFlight: InFlight, signal: AbortSignal): Heartbeat {
  const { inbox, clock, log, visibility } = options;
  let beat = Promise.resolve();
  const run = async () => {
    for (;;) {
      await clock.sleep(visibility / 3, signal);
      if (signal.aborted) return;
      beat = hideTogether(inbox, inFlight.extendable(visibility), Math.round(visibility / 1000)).catch(
        (error: unknown) => log.warn({ event: 'queue.heartbeat_failed', err: error }),
      );
      await beat;
    }
  };
  return { quiet: () => beat, ended: run() };
}
