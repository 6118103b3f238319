import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { toReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SweepMessage } from '../queue/message.ts';
import type { Inbox, Received } from '../queue/ports.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Read } from '../worker/look.ts';
import type { Settlement } from '../worker/settlement.ts';
import type { Scope, SweepReport } from './sweep.ts';

/** Runs for one request that leave something unlisted; then it is let go, and the timer's next one covers the rest. */
const MAX_RUNS = 10;
/** The same in receives, should workers die of it. */
const MAX_RECEIVES = 50;

export interface SweepServerOptions {
  /** All routed mounts. */
  readonly mounts: readonly MountRef[];
  readonly run: (scope: Scope, signal: AbortSignal) => Promise<SweepReport>;
  /** Asks for another sweep once the destination is up again. */
  readonly onceUp: (destination: string) => void;
  readonly depth: Inbox['depth'];
  /** At least this lies between the beginnings of two sweeps of this process, in ms. */
  readonly minGap: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SweepMetrics;
}

export interface SweepMetrics {
  /** `duration` in seconds. */
  swept(reason: string, result: 'complete' | 'partial' | 'failed', duration: number): void;
}

type Requests = readonly Read<SweepMessage>[];

/** What earlier runs left undone: only that is looked at again for the same requests. */
interface Unfinished {
  readonly requests: ReadonlySet<string>;
  readonly scope: Scope;
  readonly runs: number;
}

/**
 * Serves requests for a sweep: one run serves every request that was sent before it began, so that later ones cause
 * exactly one more and older ones none. "Began" is on SQS's clock, like the requests' SentTimestamp.
 */
export function createSweepServer(
  options: SweepServerOptions,
  signal: AbortSignal,
): (requests: Requests) => Promise<Settlement> {
  const { depth, minGap, clock, log, mounts, onceUp } = options;
  let servedUntil = 0;
  let lastBegan = Number.NEGATIVE_INFINITY;
  let unfinished: Unfinished | undefined;

  const begin = async (requests: Requests) => {
    const { date } = await depth();
    lastBegan = clock.monotonic();
    const newest = Math.max(...requests.map(({ received }) => received.sentAt));
    return Math.max(date, newest + 1); // SQS's Date has whole seconds; what is in hand was sent before now
  };
  const leftFor = (ids: readonly string[]) =>
    unfinished !== undefined && ids.every((id) => unfinished?.requests.has(id)) ? unfinished : undefined;
  /** True when the requests are served. */
  const serve = async (requests: Requests): Promise<boolean> => {
    const ids = requests.map(({ received }) => received.id);
    const left = leftFor(ids);
    const until = await begin(requests);
    const scope = left?.scope ?? { mounts, destinations: [] };
    const { again, down } = await runOnce(options, reasonOf(requests), scope, signal);
    for (const destination of down) onceUp(destination);
    const complete = again.mounts.length + again.destinations.length === 0;
    unfinished = complete ? undefined : { requests: new Set(ids), scope: again, runs: (left?.runs ?? 0) + 1 };
    if (complete && left === undefined) servedUntil = until;
    return complete;
  };
  const isHopeless = (messages: readonly Received[]) => {
    const runs = leftFor(messages.map(({ id }) => id))?.runs ?? 0;
    return runs >= MAX_RUNS || messages.every(({ receives }) => receives >= MAX_RECEIVES);
  };

  return async (requests) => {
    const [open, served] = partition(requests, ({ received }) => received.sentAt >= servedUntil);
    const acknowledge = served.map(({ received }) => received);
    const messages = open.map(({ received }) => received);
    if (open.length === 0) return { acknowledge, hide: [] };
    const wait = (seconds: number): Settlement => ({ acknowledge, hide: [], wait: [{ messages, seconds }] });
    const early = lastBegan + minGap - clock.monotonic();
    if (early > 0 && leftFor(messages.map(({ id }) => id)) === undefined) return wait(early / 1000);
    const done = await serve(open).catch((error: unknown) => {
      log.warn({ event: 'sweep.failed', err: toReplicationError(error) });
      return false;
    });
    if (done) return { acknowledge: [...acknowledge, ...messages], hide: [] };
    if (!isHopeless(messages)) return wait(backoff(leftFor(messages.map(({ id }) => id))?.runs ?? 1, Math.random()));
    log.error({ event: 'sweep.given_up', reason: reasonOf(open) });
    return { acknowledge: [...acknowledge, ...messages], hide: [] };
  };
}

async function runOnce(
  { run, clock, log, metrics }: SweepServerOptions,
  reason: string,
  scope: Scope,
  signal: AbortSignal,
): Promise<SweepReport> {
  const began = clock.monotonic();
  const seconds = () => (clock.monotonic() - began) / 1000;
  log.info({ event: 'sweep.started', reason });
  try {
    const report = await run(scope, signal);
    const { refs, enqueued, failed, down } = report;
    const result = failed.length + down.length > 0 ? 'partial' : 'complete';
    metrics.swept(reason, result, seconds());
    log.info({ event: 'sweep.finished', reason, result, seconds: seconds(), refs, enqueued, failed, down });
    return report;
  } catch (error) {
    metrics.swept(reason, 'failed', seconds());
    throw error;
  }
}

function partition<T>(members: readonly T[], test: (member: T) => boolean): readonly [T[], T[]] {
  return [members.filter(test), members.filter((member) => !test(member))];
}

const reasonOf = (requests: Requests): string =>
  [...new Set(requests.flatMap(({ message: { origin, reason } }) => (reason ?? origin).split(',')))].join(',');
