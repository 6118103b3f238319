import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { SweepReport } from '../sweep/report.ts';
import { createDriftGauges } from './drift-gauges.ts';

/** Seconds, from a fast local hop to the longest hold of a hot secret. */
const LAG_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const SWEEP_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600];

/** What is read when Prometheus asks, rather than counted as it happens. Undefined where the role does not run. */
export interface Gauges {
  readonly dirtyRefs?: () => number;
  /** Seconds. */
  readonly oldestDirty?: () => number;
  readonly connections?: () => number;
  /** SentTimestamp of the oldest message in flight, ms since the epoch; undefined when idle. */
  readonly oldestSentAt?: () => number | undefined;
  /** What the consumer needs, by name, and whether it waits for it. */
  readonly paused?: () => ReadonlyMap<string, boolean>;
  readonly queues?: () => Promise<QueueCounts>;
}

/** Messages on the queue by state, and letters in the dead-letter queue; each absent while SQS does not say. */
export interface QueueCounts {
  readonly messages?: Readonly<Record<'visible' | 'in_flight' | 'delayed', number>>;
  readonly deadLetters?: number;
}

/** Why a sweep was asked for. The message is not trusted with a label: an operator's words would be one series each. */
const SWEEP_REASONS: ReadonlySet<string> = new Set([
  ...['timer', 'gap', 'operator'],
  ...['start', 'connection', 'overflow', 'mounts', 'snapshot_restore', 'kv_version_unknown'],
  ...['destination', 'unfinished', 'unlisted'],
]);

export interface AuditCounts {
  readonly bytes: number;
  readonly lines: number;
}

/** All metrics of one process, by the names that INTERFACE.md promises. */
export function createMetrics() {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const counter = counters(registers);
  const lines = tally(registers, 'audit_lines_total', 'Audit lines, by what became of them.', 'result');
  const bytes = tally(registers, 'audit_bytes_total', 'Bytes that came in through the audit socket and the webhook.');
  const refused = counter('ingress_refused_total', 'Connections that were turned away, by reason.', ['reason']);
  const dirtyDropped = counter('dirty_dropped_total', 'Changed copies that were let go for a sweep: too many waited.');
  const queueRefused = counter('queue_refused_total', 'Messages that SQS will never take, by kind.', ['kind']);
  const changes = tally(registers, 'changes_total', 'Changes that became messages, by route.', 'route');
  const sweeps = counter('sweeps_total', 'Sweeps that ended.', ['reason', 'result']);
  const replications = counter('replications_total', 'Looks that ended, by outcome.', ['destination', 'outcome']);
  const failures = counter('failures_total', 'Looks that failed, by code.', ['code']);
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `vaultferry_${name}`, help, buckets, registers });
  const sweepDuration = histogram('sweep_duration_seconds', 'How long sweeps took.', SWEEP_BUCKETS);
  const lagHelp = 'From the audit time of a write to its value being AWSCURRENT.';
  const lag = histogram('replication_lag_seconds', lagHelp, LAG_BUCKETS);
  const drift = createDriftGauges(registers);
  return {
    registry,
    addGauges: (gauges: Gauges) => addGauges(registers, gauges),
    /** Lines that were never parsed are told by the difference of two counts. */
    audit: (before: AuditCounts, after: AuditCounts, parsed: number) => {
      bytes(after.bytes - before.bytes);
      lines(after.lines - before.lines - parsed, 'irrelevant');
    },
    entry: (result: string, times = 1) => lines(times, result),
    refused: (reason: string) => refused.inc({ reason }),
    dirtyDropped: (copies: number) => dirtyDropped.inc(copies),
    queueRefused: (kind: 'change' | 'sweep') => queueRefused.inc({ kind }),
    change: (route: string) => changes(1, route),
    replicated: (destination: string, outcome: string) => replications.inc({ destination, outcome }),
    lag: (seconds: number) => lag.observe(seconds),
    failed: (code: string) => failures.inc({ code }),
    swept(reason: string, result: string, seconds: number, report?: SweepReport) {
      sweeps.inc({ reason: sweepReason(reason), result });
      sweepDuration.observe(seconds);
      if (report !== undefined) drift.tell(report);
    },
    /** What the last sweep found is told for so long, in ms. */
    keepDriftFor: drift.keepFor,
  };
}

const counters =
  (registers: Registry[]) =>
  <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `vaultferry_${name}`, help, labelNames, registers });

/**
 * A counter of what happens thousands of times a second: finding one of its series would cost as much as an audit line, so
 * it is told only when Prometheus asks.
 */
function tally(registers: Registry[], name: string, help: string, label?: string) {
  const counted = new Map<string, number>();
  const collect = () => {
    for (const [value, times] of counted) counter.inc(label === undefined ? {} : { [label]: value }, times);
    counted.clear();
  };
  const labelNames = label === undefined ? [] : [label];
  const counter: Counter = new Counter({ name: `vaultferry_${name}`, help, labelNames, registers, collect });
  return (times: number, value = ''): void => {
    if (times > 0) counted.set(value, (counted.get(value) ?? 0) + times);
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

function addGauges(registers: Registry[], gauges: Gauges): void {
  const { dirtyRefs, oldestDirty, connections, oldestSentAt, paused, queues } = gauges;
  const gauge = (name: string, help: string, value: (() => number) | undefined) => {
    if (value === undefined) return;
    const collect = () => asked.set(value());
    const asked: Gauge = new Gauge({ name: `vaultferry_${name}`, help, registers, collect });
  };
  gauge('dirty_refs', 'Copies that changed and are not on the queue yet.', dirtyRefs);
  gauge('oldest_dirty_seconds', 'How long the oldest of them has waited; 0 when none does.', oldestDirty);
  gauge('ingress_connections', 'Open audit connections.', connections);
  gauge(
    'queue_oldest_seconds',
    'Age of the oldest message received and not yet acknowledged; 0 when idle.',
    oldestSentAt && (() => ageInSeconds(oldestSentAt())),
  );
  if (paused !== undefined) addPaused(registers, paused);
  if (queues !== undefined) addQueues(registers, queues);
}

function addPaused(registers: Registry[], paused: NonNullable<Gauges['paused']>): void {
  const gauge: Gauge<'reason'> = new Gauge({
    name: 'vaultferry_consumer_paused',
    help: '1 while the consumer waits for what it needs.',
    labelNames: ['reason'],
    registers,
    collect() {
      for (const [reason, waits] of paused()) gauge.set({ reason }, waits ? 1 : 0);
    },
  });
}

/** What is not known is absent rather than 0, which an alert would take for an empty queue. */
function addQueues(registers: Registry[], queues: NonNullable<Gauges['queues']>): void {
  const messages: Gauge<'state'> = new Gauge({
    name: 'vaultferry_queue_messages',
    help: 'Messages on the queue, as SQS counts them.',
    labelNames: ['state'],
    registers,
    async collect() {
      const counts: Readonly<Record<string, number>> = (await queues()).messages ?? {};
      messages.reset();
      for (const [state, count] of Object.entries(counts)) messages.set({ state }, count);
    },
  });
  const letters: Gauge = new Gauge({
    name: 'vaultferry_dead_letters',
    help: 'Letters in the dead-letter queue, as SQS counts them.',
    registers,
    async collect() {
      const { deadLetters } = await queues();
      if (deadLetters === undefined) letters.remove();
      else letters.set(deadLetters);
    },
  });
}

/** One label for each sweep: what asked for it, if that was one known thing. */
function sweepReason(text: string): string {
  const reasons = text.split(',');
  if (!reasons.every((reason) => SWEEP_REASONS.has(reason))) return 'other';
  return reasons.length === 1 ? text : 'several';
}

const ageInSeconds = (sentAt: number | undefined): number =>
  sentAt === undefined ? 0 : Math.max(0, (Date.now() - sentAt) / 1000);
