import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { encodeMessage, sweepGroup } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';

/** Node's timers know no longer sleeps than 24 days; an awakening in between costs nothing. In ms. */
const LONGEST_SLEEP = 24 * 3_600_000;

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
    await clock.sleep(Math.min(slot - clock.now(), LONGEST_SLEEP), signal);
    if (signal.aborted) return;
    if (clock.now() < slot) continue; // a long sleep's part, or the clock was set back
    const body = encodeMessage({ v: 1, kind: 'sweep', vault, origin: 'timer' });
    const request = { body, group: sweepGroup(vault), deduplicationId: slotId(slot) };
    await publisher.send([request]).catch((error: unknown) => {
      log.warn({ event: 'sweep.not_requested', err: error });
    });
  }
}

/** `2026-11-24T10:00:00Z`. */
const slotId = (slot: number): string => `${new Date(slot).toISOString().slice(0, 19)}Z`;
