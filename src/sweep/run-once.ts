import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Inbox } from '../queue/ports.ts';
import { approvalOf } from './deletion.ts';
import type { Requests, Run } from './progress.ts';
import type { SweepReport } from './report.ts';
import type { SweepOrder } from './sweep.ts';

/** How long a request is kept at each extension, in seconds: longer than a deletion takes. */
const EXTENSION = 60;

export interface RunOptions {
  readonly run: (order: SweepOrder, signal: AbortSignal) => Promise<SweepReport>;
  readonly inbox: Pick<Inbox, 'extend'>;
  /** How long a received message is hidden, in ms. */
  readonly visibility: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SweepMetrics;
}

export interface SweepMetrics {
  /** `duration` in seconds; `report` of a run that came to its end. */
  swept(reason: string, result: 'complete' | 'partial' | 'failed', duration: number, report?: SweepReport): void;
}

/** One run, told by its beginning and its end. Throws when it failed. */
export async function runOnce(
  { run, inbox, visibility, clock, log, metrics }: RunOptions,
  requests: Requests,
  { until, timeLeft, approvals }: Run,
  signal: AbortSignal,
): Promise<SweepReport | 'out of time'> {
  const reason = reasonOf(requests);
  const began = clock.monotonic();
  const seconds = () => (clock.monotonic() - began) / 1000;
  const onSqsClock = () => until + clock.monotonic() - began;
  const [first] = requests;
  const order: SweepOrder = {
    now: () => Math.min(clock.now(), onSqsClock()),
    approvals: (destination) => approvals.standing(destination, onSqsClock()),
    onSent: (due) => approvals.use(due.target.destination, approvalOf(due)),
    async extend() {
      if (first !== undefined) await inbox.extend(first.received, Math.max(EXTENSION, Math.round(visibility / 1000)));
    },
  };
  const timer = createTimer(clock, timeLeft, signal);
  log.info({ event: 'sweep.started', reason });
  try {
    const report = await run(order, timer.signal);
    const result = report.failed.length + report.down.length > 0 ? 'partial' : 'complete';
    metrics.swept(reason, result, seconds(), report);
    log.info({ event: 'sweep.finished', reason, result, seconds: seconds(), ...told(report) });
    return report;
  } catch (error) {
    if (signal.aborted) throw error; // a shutdown is no failure
    const outOfTime = timer.signal.aborted;
    metrics.swept(reason, outOfTime ? 'partial' : 'failed', seconds());
    if (!outOfTime) throw error;
    log.warn({ event: 'sweep.finished', reason, result: 'partial', seconds: seconds(), text: OUT_OF_TIME });
    return 'out of time';
  } finally {
    timer.end();
  }
}

const OUT_OF_TIME = 'SQS lets nobody hold a request for longer than 12 h: another sweep is asked for';

/** Aborts with `signal`, or once the time is over. */
function createTimer(clock: Clock, ms: number, signal: AbortSignal) {
  const ended = new AbortController();
  const over = new AbortController();
  void clock.sleep(ms, ended.signal).then(() => {
    if (!ended.signal.aborted) over.abort();
  });
  return { signal: AbortSignal.any([signal, over.signal]), end: () => ended.abort() };
}

const told = ({ found, permanent, enqueued, deleted, held, oldestDrift, failed, down }: SweepReport) => ({
  ...{ found, permanent, enqueued, deleted, held, failed, down },
  oldestDriftSeconds: oldestDrift,
});

export const reasonOf = (requests: Requests): string =>
  [...new Set(requests.flatMap(({ message: { origin, reason } }) => (reason ?? origin).split(',')))].join(',');
