import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { encodeMessage, sweepGroup } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';

/**
 * Asks for a sweep on each wall-clock multiple of `every` (ms) until the signal aborts. Runs in every worker: a slot's
 * request has the slot's id, so that many workers' requests are one.
 */
export async function sweepTimer(
  { vault, publisher, clock, log }: { vault: string; publisher: Publisher; clock: Clock; log: Log },
  every: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const slot = Math.floor(clock.now() / every + 1) * every;
    await clock.sleep(slot - clock.now(), signal);
    if (signal.aborted) return;
    if (clock.now() < slot) continue; // the clock was set back while it slept
    const body = encodeMessage({ v: 1, kind: 'sweep', vault, origin: 'timer' });
    const request = { body, group: sweepGroup(vault), deduplicationId: slotId(slot) };
    await publisher.send([request]).catch((error: unknown) => {
      log.warn({ event: 'sweep.not_requested', err: error });
    });
  }
}

/** `2026-11-24T10:00:00Z`. */
const slotId = (slot: number): string => `${new Date(slot).toISOString().slice(0, 19)}Z`;
