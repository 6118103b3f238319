import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { toReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SweepMessage } from '../queue/message.ts';
import type { Inbox } from '../queue/ports.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Settlement } from '../worker/consumer.ts';
import type { Read } from '../worker/look.ts';
import type { SweepReport } from './sweep.ts';

/** A request whose mounts cannot be listed for so many receives is let go: the timer's next one covers it. */
const MAX_RECEIVES = 50;

export interface SweepServerOptions {
  /** All routed mounts. */
  readonly mounts: readonly MountRef[];
  readonly run: (mounts: readonly MountRef[], signal: AbortSignal) => Promise<SweepReport>;
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

/** What an earlier run left undone: only those mounts are looked at again for the same requests. */
interface Unfinished {
  readonly requests: ReadonlySet<string>;
  readonly mounts: readonly MountRef[];
}

/**
 * Serves requests for a sweep: one run serves every request that was sent before it began, so that later ones cause
 * exactly one more and older ones none. "Began" is on SQS's clock, like the requests' SentTimestamp.
 */
export function createSweepServer(
  options: SweepServerOptions,
  signal: AbortSignal,
): (requests: Requests) => Promise<Settlement> {
  const { depth, minGap, clock, log } = options;
  let servedUntil = 0;
  let lastBegan = Number.NEGATIVE_INFINITY;
  let unfinished: Unfinished | undefined;

  const begin = async (requests: Requests) => {
    const { date } = await depth();
    lastBegan = clock.monotonic();
    const newest = Math.max(...requests.map(({ received }) => received.sentAt));
    return Math.max(date, newest + 1); // SQS's Date has whole seconds; what is in hand was sent before now
  };
  /** True when the requests are served. */
  const serve = async (requests: Requests): Promise<boolean> => {
    const ids = requests.map(({ received }) => received.id);
    const left = unfinished !== undefined && ids.every((id) => unfinished?.requests.has(id)) ? unfinished : undefined;
    const until = await begin(requests);
    const { again } = await runOnce(options, reasonOf(requests), left?.mounts ?? options.mounts, signal);
    unfinished = again.length > 0 ? { requests: new Set(ids), mounts: again } : undefined;
    if (unfinished !== undefined) return false;
    if (left === undefined) servedUntil = until;
    return true;
  };

  return async (requests) => {
    const [open, served] = partition(requests, ({ received }) => received.sentAt >= servedUntil);
    const acknowledge = served.map(({ received }) => received);
    const messages = open.map(({ received }) => received);
    if (open.length === 0) return { acknowledge, hide: [] };
    const wait = lastBegan + minGap - clock.monotonic();
    if (wait > 0) return { acknowledge, hide: [{ messages, seconds: Math.ceil(wait / 1000) }] };
    const done = await serve(open).catch((error: unknown) => {
      log.warn({ event: 'sweep.failed', err: toReplicationError(error) });
      return false;
    });
    const receives = Math.min(...messages.map((message) => message.receives));
    if (!done && receives >= MAX_RECEIVES) log.error({ event: 'sweep.given_up', reason: reasonOf(open), receives });
    if (done || receives >= MAX_RECEIVES) return { acknowledge: [...acknowledge, ...messages], hide: [] };
    return { acknowledge, hide: [{ messages, seconds: signal.aborted ? 0 : backoff(receives, Math.random()) }] };
  };
}

async function runOnce(
  { run, clock, log, metrics }: SweepServerOptions,
  reason: string,
  mounts: readonly MountRef[],
  signal: AbortSignal,
): Promise<SweepReport> {
  const began = clock.monotonic();
  const seconds = () => (clock.monotonic() - began) / 1000;
  log.info({ event: 'sweep.started', reason });
  try {
    const report = await run(mounts, signal);
    const { refs, enqueued, failed } = report;
    const result = failed.length > 0 ? 'partial' : 'complete';
    metrics.swept(reason, result, seconds());
    log.info({ event: 'sweep.finished', reason, result, seconds: seconds(), refs, enqueued, failed });
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
