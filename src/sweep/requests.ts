import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SweepMessage } from '../queue/message.ts';
import type { Inbox } from '../queue/ports.ts';
import type { Settlement } from '../worker/consumer.ts';
import type { Read } from '../worker/look.ts';
import type { SweepReport } from './sweep.ts';

export interface SweepServerOptions {
  readonly run: (signal: AbortSignal) => Promise<SweepReport>;
  readonly depth: Inbox['depth'];
  /** At least this lies between the beginnings of two sweeps of this process, in ms. */
  readonly minGap: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SweepMetrics;
}

export interface SweepMetrics {
  /** Seconds. */
  swept(reason: string, result: 'complete' | 'partial' | 'failed', duration: number): void;
}

type Requests = readonly Read<SweepMessage>[];

/**
 * Serves requests for a sweep: one run serves every request that was sent before it began, so that later ones cause
 * exactly one more and older ones none. "Began" is on SQS's clock, like the requests' SentTimestamp.
 */
export function createSweepServer(
  { run, depth, minGap, clock, log, metrics }: SweepServerOptions,
  signal: AbortSignal,
): (requests: Requests) => Promise<Settlement> {
  let servedUntil = 0;
  let lastBegan = Number.NEGATIVE_INFINITY;

  const begin = async (requests: Requests) => {
    const { date } = await depth();
    lastBegan = clock.monotonic();
    const newest = Math.max(...requests.map(({ received }) => received.sentAt));
    return Math.max(date, newest + 1); // SQS's Date has whole seconds; what is in hand was sent before now
  };
  const serve = async (requests: Requests): Promise<boolean> => {
    const reason = reasonOf(requests);
    const until = await begin(requests);
    log.info({ event: 'sweep.started', reason });
    const report = await run(signal).catch((error: unknown) => {
      log.warn({ event: 'sweep.failed', reason, err: ownWords(error) });
      return undefined;
    });
    const result = report === undefined ? 'failed' : report.failed.length > 0 ? 'partial' : 'complete';
    const seconds = (clock.monotonic() - lastBegan) / 1000;
    metrics.swept(reason, result, seconds);
    if (report !== undefined) log.info({ event: 'sweep.finished', reason, result, seconds, ...report });
    if (result !== 'complete') return false;
    servedUntil = until;
    return true;
  };

  return async (requests) => {
    const served = requests.filter(({ received }) => received.sentAt < servedUntil);
    const open = requests.filter(({ received }) => received.sentAt >= servedUntil);
    const wait = lastBegan + minGap - clock.monotonic();
    const messages = open.map(({ received }) => received);
    const done = served.map(({ received }) => received);
    if (open.length === 0) return { acknowledge: done, hide: [] };
    if (wait > 0) return { acknowledge: done, hide: [{ messages, seconds: Math.ceil(wait / 1000) }] };
    const complete = await serve(open).catch((error: unknown) => {
      log.warn({ event: 'sweep.failed', err: ownWords(error) });
      return false;
    });
    if (complete) return { acknowledge: [...done, ...messages], hide: [] };
    const receives = Math.min(...messages.map((message) => message.receives));
    return {
      acknowledge: done,
      hide: [{ messages, seconds: signal.aborted ? 0 : backoff(receives, Math.random()) }],
    };
  };
}

const reasonOf = (requests: Requests): string =>
  [...new Set(requests.flatMap(({ message: { origin, reason } }) => (reason ?? origin).split(',')))].join(',');

/** A foreign error's text may quote what it was about. */
const ownWords = (error: unknown): Error =>
  error instanceof ReplicationError
    ? error
    : new ReplicationError('internal', `an unexpected ${error instanceof Error ? error.name : 'error'}`);
