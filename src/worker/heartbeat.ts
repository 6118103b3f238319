import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { BATCH, type Inbox, type Received } from '../queue/ports.ts';
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
  const { clock, log, visibility } = options;
  for (;;) {
    await clock.sleep(visibility / 3, signal);
    if (signal.aborted) return;
    await beat(options, inFlight.extendable(visibility)).catch((error: unknown) => {
      log.warn({ event: 'queue.heartbeat_failed', err: error });
    });
  }
}

/**
 * All batches at once: one that waited for another's answer could hide again what was given back meanwhile, and while
 * SQS hangs the last ones would come too late.
 */
async function beat({ inbox, visibility }: HeartbeatOptions, messages: readonly Received[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(messages.length / BATCH) }, (_, number) =>
    messages.slice(number * BATCH, (number + 1) * BATCH),
  );
  const sent = await Promise.allSettled(batches.map((batch) => inbox.hide(batch, Math.round(visibility / 1000))));
  for (const result of sent) if (result.status === 'rejected') throw result.reason;
}
