import { backoff } from '../backoff.ts';
import { toReplicationError } from '../errors.ts';
import type { Settlement } from '../worker/settlement.ts';
import { createProgress, type ProgressOptions, type Requests } from './progress.ts';
import { type RunOptions, reasonOf, runOnce } from './run-once.ts';

/** Runs for one request that leave something unlisted; then it is let go, and the timer's next one covers the rest. */
const MAX_RUNS = 10;
/** The same in receives, should workers die of it. */
const MAX_RECEIVES = 50;
export interface SweepServerOptions extends Omit<ProgressOptions, 'inbox' | 'clock'>, Omit<RunOptions, 'inbox'> {
  readonly inbox: ProgressOptions['inbox'] & RunOptions['inbox'];
  /** Asks for another sweep once the destination is up again. */
  readonly onceUp: (destination: string) => void;
  /** Asks for another sweep. */
  readonly again: (reason: string) => void;
}

/**
 * Serves requests for a sweep: one run serves every request that was sent before it began, so that later ones cause
 * exactly one more and older ones none.
 */
export function createSweepServer(
  options: SweepServerOptions,
  signal: AbortSignal,
): (requests: Requests) => Promise<Settlement> {
  const { log, onceUp, again } = options;
  const progress = createProgress(options);
  /** True when the requests are served. */
  const serve = async (requests: Requests): Promise<boolean> => {
    const order = await progress.begin(requests);
    const report = await runOnce(options, requests, order, signal);
    progress.ended(requests, order, report);
    if (report === 'out of time') again('unfinished');
    else for (const destination of report.down) onceUp(destination);
    return report === 'out of time' || report.again.length === 0;
  };

  return async (requests) => {
    progress.note(requests);
    const [open, served] = partition(requests, progress.isOpen);
    const done = served.map(({ received }) => received);
    const messages = open.map(({ received }) => received);
    const all: Settlement = { acknowledge: [...done, ...messages], hide: [] };
    if (open.length === 0) return all;
    if (progress.isTooSoon(open)) {
      log.info({ event: 'sweep.stretched', reason: reasonOf(open) });
      return all;
    }
    const wait = (seconds: number): Settlement => ({ acknowledge: done, hide: [], wait: [{ messages, seconds }] });
    const early = progress.early(open);
    if (early > 0) return wait(early / 1000);
    const isServed = await serve(open).catch((error: unknown) => {
      log.warn({ event: 'sweep.failed', err: toReplicationError(error) });
      return false;
    });
    if (isServed) return all;
    const runs = progress.runsFor(open);
    const diedOf = open.every(({ received }) => received.receives >= MAX_RECEIVES);
    if (runs < MAX_RUNS && !diedOf) return wait(backoff(Math.max(1, runs), Math.random()));
    log.error({ event: 'sweep.given_up', reason: reasonOf(open) });
    return all;
  };
}

function partition<T>(members: readonly T[], test: (member: T) => boolean): readonly [T[], T[]] {
  return [members.filter(test), members.filter((member) => !test(member))];
}
