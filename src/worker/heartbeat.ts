import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Inbox } from '../queue/ports.ts';
import type { InFlight } from './in-flight.ts';

/** Keeps what is in flight hidden from other workers until the signal aborts. `visibility` in ms. */
export async function heartbeat(
  { inbox, clock, log, visibility }: { inbox: Inbox; clock: Clock; log: Log; visibility: number },
  inFlight: InFlight,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(visibility / 3, signal);
    if (signal.aborted) return;
    await inbox.hide(inFlight.extendable(visibility), Math.round(visibility / 1000)).catch((error: unknown) => {
      log.warn({ event: 'queue.heartbeat_failed', err: error });
    });
  }
}
