import { randomUUID } from 'node:crypto';
import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { encodeMessage, type SweepMessage, sweepGroup } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';

/** Node's timers know no longer sleeps than 24 days; an awakening in between costs nothing. In ms. */
const LONGEST_SLEEP = 24 * 3_600_000;

export interface SweepAsker {
  readonly vault: string;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Asks for a sweep on each wall-clock multiple of `every` (ms) until the signal aborts. Runs in every worker: a slot's
 * request has the slot's id, so that many workers' requests are one.
 */
export async function sweepTimer(asker: SweepAsker, every: number, signal: AbortSignal): Promise<void> {
  const { clock } = asker;
  for (;;) {
    const slot = Math.floor(clock.now() / every + 1) * every;
    await clock.sleep(Math.min(slot - clock.now(), LONGEST_SLEEP), signal);
    if (signal.aborted) return;
    if (clock.now() < slot) continue; // a long sleep's part, or the clock was set back
    const due = clock.monotonic() + every; // by then the next slot has a request of its own
    const tooLate = () => signal.aborted || clock.monotonic() >= due;
    await askUntil(asker, { origin: 'timer' }, slotId(slot), tooLate, signal);
  }
}

/** Without an ingress it is the worker's start that a gap ends with: asks for a sweep until SQS has taken the request. */
export async function sweepAtStart(asker: SweepAsker, signal: AbortSignal): Promise<void> {
  await askForSweep(asker, { origin: 'gap', reason: 'start' }, randomUUID(), signal);
}

/** Asks until SQS has taken the request. */
export const askForSweep = (
  asker: SweepAsker,
  why: Pick<SweepMessage, 'origin' | 'reason'>,
  deduplicationId: string,
  signal: AbortSignal,
): Promise<void> => askUntil(asker, why, deduplicationId, () => signal.aborted, signal);

async function askUntil(
  asker: SweepAsker,
  why: Pick<SweepMessage, 'origin' | 'reason'>,
  deduplicationId: string,
  tooLate: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 1; !tooLate(); failures += 1) {
    if (await ask(asker, why, deduplicationId)) return;
    await asker.clock.sleep(backoff(failures, Math.random()) * 1000, signal);
  }
}

/** True when SQS has taken the request. */
async function ask(
  { vault, publisher, log }: SweepAsker,
  why: Pick<SweepMessage, 'origin' | 'reason'>,
  deduplicationId: string,
): Promise<boolean> {
  const body = encodeMessage({ v: 1, kind: 'sweep', vault, ...why });
  try {
    const notTaken = await publisher.send([{ body, group: sweepGroup(vault), deduplicationId }]);
    return notTaken.length === 0;
  } catch (error) {
    log.warn({ event: 'sweep.not_requested', err: error });
    return false;
  }
}

/** `2026-11-24T10:00:00Z`. */
const slotId = (slot: number): string => `${new Date(slot).toISOString().slice(0, 19)}Z`;
