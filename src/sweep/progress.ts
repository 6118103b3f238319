import type { Clock } from '../clock.ts';
import type { SweepMessage } from '../queue/message.ts';
import type { Inbox, Received } from '../queue/ports.ts';
import type { Read } from '../worker/look.ts';
import { createKeptApprovals, type KeptApprovals } from './kept-approvals.ts';

/** SQS ends a flight 12 h after its receive, and the heartbeat an hour earlier. In ms. */
const LONGEST_RUN = 10.9 * 3_600_000;

export type Requests = readonly Read<SweepMessage>[];

export interface ProgressOptions {
  readonly inbox: Pick<Inbox, 'depth'>;
  /** The timer's period, in ms: a sweep that takes over a quarter of it stretches it. */
  readonly every: number;
  /** At least this lies between the beginnings of two sweeps of this process, in ms. */
  readonly minGap: number;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** One run. */
export interface Run {
  /** When it began, on SQS's clock. */
  readonly until: number;
  /** How long its requests can be kept, in ms. */
  readonly timeLeft: number;
  readonly approvals: Pick<KeptApprovals, 'standing' | 'use'>;
}

/** What this process knows of its sweeps, in memory: which requests they have served, and when. */
export function createProgress({ inbox, every, minGap, clock }: ProgressOptions) {
  const since = new WeakMap<Received, number>();
  const kept = createKeptApprovals();
  let servedUntil = 0;
  let last = { began: Number.NEGATIVE_INFINITY, took: 0 };
  const sinceReceive = ({ received }: Read<SweepMessage>) =>
    clock.monotonic() - (since.get(received) ?? clock.monotonic());
  return {
    /** Remembers since when the requests are in flight here. */
    note(requests: Requests): void {
      for (const { received } of requests) since.set(received, since.get(received) ?? clock.monotonic());
    },
    /** Not served yet. An approval is for what is found after it: no run that it came too late for has served it. */
    isOpen: ({ received, message }: Read<SweepMessage>): boolean =>
      message.approve !== undefined || received.sentAt >= servedUntil,
    /** Sweeps must not take more than a quarter of the time: slots of the timer that come sooner are let pass. */
    isTooSoon: (requests: Requests): boolean =>
      requests.every(({ message }) => message.origin === 'timer') &&
      last.took > every / 4 &&
      clock.monotonic() - last.began < 4 * last.took,
    /** How long to wait for `minGap`, in ms. */
    early: (): number => last.began + minGap - clock.monotonic(),
    /** "Began" is on SQS's clock, like the requests' SentTimestamp. */
    async begin(requests: Requests): Promise<Run> {
      const { date } = await inbox.depth();
      const newest = Math.max(...requests.map(({ received }) => received.sentAt));
      last = { began: clock.monotonic(), took: 0 };
      kept.keep(requests);
      return {
        approvals: kept,
        until: Math.max(date, newest + 1), // SQS's Date has whole seconds; what is in hand was sent before now
        timeLeft: LONGEST_RUN - Math.max(...requests.map(sinceReceive)),
      };
    },
    /** The run came to its end. What it left in gaps is asked for anew, and what was approved is kept for that alone. */
    ended({ until }: Run, withGaps: boolean): void {
      if (!withGaps) kept.forget();
      last.took = clock.monotonic() - last.began;
      servedUntil = until;
    },
  };
}
