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

/** Keeps what is looked at hidden from other workers until the signal aborts. */
export async function heartbeat(options: HeartbeatOptions, inFlight: InFlight, signal: AbortSignal): Promise<void> {
  const { inbox, clock, log, visibility } = options;
  for (;;) {
    await clock.sleep(visibility / 3, signal);
    if (signal.aborted) return;
    await hideTogether(inbox, inFlight.extendable(visibility), Math.round(visibility / 1000)).catch(
      (error: unknown) => {
        log.warn({ event: 'queue.heartbeat_failed', err: error });
      },
    );
  }
}
