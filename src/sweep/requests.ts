import { backoff } from '../backoff.ts';
import { toReplicationError } from '../errors.ts';
import type { Settlement } from '../worker/settlement.ts';
import { createProgress, type ProgressOptions, type Requests } from './progress.ts';
import { type RunOptions, reasonOf, runOnce } from './run-once.ts';

/** Runs that fail altogether for one request; then it is let go, and the timer's next one covers it. */
const MAX_FAILURES = 10;
/** The same in receives, should workers die of it. */
const MAX_RECEIVES = 50;
/** What a sweep could not list is looked for by another one, so much later, in seconds; doubled while that goes on. */
const AGAIN_AFTER = 30;

export interface SweepServerOptions extends Omit<ProgressOptions, 'inbox' | 'clock'>, Omit<RunOptions, 'inbox'> {
  readonly inbox: ProgressOptions['inbox'] & RunOptions['inbox'];
  /** The part that all sweeps wait for, while it is down. */
  readonly waitsFor: () => string | undefined;
  /** Asks for another sweep once the destination is up again. */
  readonly onceUp: (destination: string) => void;
  /** Asks for another sweep in so many seconds. */
  readonly again: (reason: string, seconds: number) => void;
}

/**
 * Serves requests for a sweep: one run serves every request that was sent before it began, so that later ones cause
 * exactly one more and older ones none. What could not be listed keeps no request waiting, which would hold up the next
 * ones: another sweep is asked for, and approvals are kept for it.
 */
export function createSweepServer(
  options: SweepServerOptions,
  signal: AbortSignal,
): (requests: Requests) => Promise<Settlement> {
  const { log, onceUp, again, waitsFor, every } = options;
  const progress = createProgress(options);
  let failures = 0;
  let partial = 0;
  const serve = async (requests: Requests): Promise<void> => {
    const run = await progress.begin(requests);
    const report = await runOnce(options, requests, run, signal);
    progress.ended(run, report === 'out of time' || report.again || report.down.length > 0);
    failures = 0;
    if (report === 'out of time') return again('unfinished', 0);
    for (const destination of report.down) onceUp(destination);
    partial = report.again ? partial + 1 : 0;
    if (partial > 0) again('unlisted', Math.min(AGAIN_AFTER * 2 ** (partial - 1), every / 2000));
  };
  const letGo = (requests: Requests) =>
    (progress.isTooSoon(requests) && 'sweep.stretched') || (isHopeless(requests, failures) && 'sweep.given_up');
  /** How long they must wait first. */
  const waitFirst = (): { readonly part: string } | { readonly seconds: number } | undefined => {
    const part = waitsFor();
    const early = progress.early();
    if (part !== undefined) return { part };
    return early > 0 ? { seconds: early / 1000 } : undefined;
  };
  /** How long to wait after a failure; nothing when the requests are served. */
  const attempt = async (requests: Requests): Promise<{ readonly seconds: number } | undefined> => {
    try {
      await serve(requests);
      return undefined;
    } catch (error) {
      if (signal.aborted) return { seconds: 0 };
      failures += 1;
      log.warn({ event: 'sweep.failed', err: toReplicationError(error) });
      return { seconds: backoff(failures, Math.random()) };
    }
  };

  return async (requests) => {
    progress.note(requests);
    const [open, served] = partition(requests, progress.isOpen);
    const done = served.map(({ received }) => received);
    const messages = open.map(({ received }) => received);
    if (open.length === 0) return { acknowledge: done, hide: [] };
    const why = letGo(open);
    const until = why === false ? (waitFirst() ?? (await attempt(open))) : undefined;
    if (until !== undefined) return { acknowledge: done, hide: [], wait: [{ messages, ...until }] };
    if (why === 'sweep.given_up') failures = 0;
    if (why !== false) log[why === 'sweep.given_up' ? 'error' : 'info']({ event: why, reason: reasonOf(open) });
    return { acknowledge: [...done, ...messages], hide: [] };
  };
}

const isHopeless = (requests: Requests, failures: number): boolean =>
  failures >= MAX_FAILURES || requests.every(({ received }) => received.receives > MAX_RECEIVES);

function partition<T>(members: readonly T[], test: (member: T) => boolean): readonly [T[], T[]] {
  return [members.filter(test), members.filter((member) => !test(member))];
}
