import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { BATCH, type NotTaken, type Outgoing, type Publisher } from '../queue/ports.ts';
import type { Dirty, DirtyCopies } from './dirty.ts';
import type { SweepRequest, SweepRequests } from './sweep-request.ts';

/** Batches in flight at once. */
const SENDERS = 4;
/** Messages of all senders together: a round. */
const ROUND = SENDERS * BATCH;
/**
 * How long after the last batch a round that is not full waits for more, in ms. A change after a quiet moment goes at once,
 * and so does one that somebody waits for; of a busy mount twenty times fewer calls are made, each of which costs this
 * process, and a machine that it shares with Vault, more than a hundred lines. The batches of a round go together,
 * because the second one costs half of the first, whose code and data the processor has at hand.
 */
const GATHERING = 40;
/**
 * From one round of batches to the next while the event loop is at work nearly all the time, in ms: a batch costs more
 * than a hundred lines of a routed mount, and lines go first, since Vault waits for whoever does not read them. What
 * waits meanwhile is coalesced, and bounded.
 */
const BUSY_SPACING = 20;
/** The share of the time in which a busy event loop is at work. */
const BUSY = 0.9;
/** Lines of a mount that Vault cannot yet be asked about would ask for a sweep each: one request in this time, in ms. */
const SWEEP_PACE = 1_000;
/** Before what SQS did not take out of a batch is sent again, in ms. */
const REFUSED_PAUSE = 1_000;
/** Of a batch that SQS took nothing of, though it answered. */
const NOTHING_TAKEN = 'SQS answers, and takes no message';
/** Of the 256 KiB that every SQS takes in one batch, what bodies may use; the rest is for their frame. */
const BATCH_BYTES = 200 * 1024;

export interface SenderOptions {
  readonly publisher: Publisher;
  readonly dirty: DirtyCopies;
  readonly sweeps: SweepRequests;
  readonly clock: Clock;
  readonly log: Log;
  readonly onQueued: (dirty: Dirty) => void;
  /** A message is let go, since SQS will never take it. */
  readonly onRefused: (kind: 'change' | 'sweep') => void;
  /** The share of the time since it was last asked in which this thread's event loop was at work; 0 to 1. */
  readonly utilization?: () => number;
}

export interface Sender {
  /**
   * Sends what is dirty as far as a sender is free; called after whatever made something dirty.
   * @param awaited somebody waits for it to be on the queue, so that a batch need not be full
   */
  flush(awaited?: boolean): void;
  /** False while SQS cannot be reached. */
  reachable(): boolean;
  /** Resolves once nothing is dirty; does not keep anything from becoming so. */
  drained(): Promise<void>;
}

/** Never idle while something is dirty, never waiting while it is idle. */
export function createSender({ utilization = () => 0, ...options }: SenderOptions): Sender {
  const { publisher, dirty, sweeps, clock, log } = options;
  let inFlight = 0;
  let emptied: (() => void)[] = [];

  const flush = (awaited = false) => {
    const fill = emptied.length > 0 ? 1 : pacing.fill(awaited);
    for (let wanted = fill; !reach.pausing && inFlight < SENDERS; wanted = Math.min(fill, BATCH)) {
      const batch = sweepBatch() ?? changesBatch(wanted);
      if (batch === undefined) break;
      void send(batch);
    }
    if (inFlight > 0 || dirty.size > 0 || sweeps.pending) return;
    for (const resolve of emptied) resolve();
    emptied = [];
  };
  const reach = createReach({ clock, log, dirty, after: flush });
  const pace = createPause(clock, flush);
  const pacing = createPacing(clock, utilization, flush);

  const sweepBatch = () => {
    const request = pace.on && emptied.length === 0 ? undefined : sweeps.take();
    if (request === undefined) return undefined;
    pace.start(SWEEP_PACE);
    return sweepRequestBatch(request, sweeps, options);
  };
  const changesBatch = (fill: number) => {
    if (!dirty.has(fill)) return undefined;
    const batch = dirtyBatch(dirty, options);
    pacing.sent({ round: !dirty.has(fill) || inFlight === SENDERS - 1, all: !dirty.has(1) });
    return batch;
  };
  const send = async (batch: Batch) => {
    inFlight += 1;
    try {
      const notTaken = await publisher.send(batch.messages);
      batch.sent(notTaken);
      reach.answered(batch, notTaken);
    } catch (error) {
      batch.failed();
      reach.failed({ err: error });
    }
    inFlight -= 1;
    flush();
  };
  const drained = () =>
    new Promise<void>((resolve) => {
      emptied.push(resolve);
      flush();
    });
  return { flush, drained, reachable: reach.reachable };
}

/** SQS answers, and yet nothing gets onto the queue: throttled, or refused by KMS or a policy. */
const takesNothing = ({ messages }: Batch, notTaken: readonly NotTaken[]): boolean =>
  notTaken.length === messages.length && notTaken.some(({ forGood }) => !forGood);

type ReachOptions = Pick<SenderOptions, 'clock' | 'log' | 'dirty'> & { readonly after: () => void };

/** Whether SQS takes messages, told once when that changes; and the pause after it did not, or not all of them. */
function createReach({ clock, log, dirty, after }: ReachOptions) {
  let failures = 0;
  const outage = createPause(clock, after);
  const reach = {
    reachable: () => failures === 0,
    get pausing() {
      return outage.on;
    },
    answered(batch: Batch, notTaken: readonly NotTaken[]) {
      if (takesNothing(batch, notTaken)) return reach.failed({ code: notTaken[0]?.code, text: NOTHING_TAKEN });
      if (failures > 0) log.info({ event: 'queue.reachable' });
      failures = 0;
      if (notTaken.some(({ forGood }) => !forGood)) outage.start(REFUSED_PAUSE);
    },
    failed(why: object) {
      if (failures === 0) log.warn({ event: 'queue.unreachable', ...why, dirty: dirty.size });
      failures += 1;
      outage.start(backoff(Math.min(failures, 4), Math.random()) * 1000);
    },
  };
  return reach;
}

/** When changes go: lines first, and then in batches that are full. */
function createPacing(clock: Clock, utilization: () => number, after: () => void) {
  const lines = createPause(clock, after);
  const gathering = createPause(clock, after);
  let awaited = false;
  return {
    /** How many must be dirty for a round to begin; Infinity while none may. @param now somebody waits for what became dirty */
    fill(now: boolean): number {
      awaited ||= now;
      if (lines.on) return Number.POSITIVE_INFINITY;
      return gathering.on && !awaited ? ROUND : 1;
    },
    /** After a batch. @param round it is the last of its round @param all nothing is left */
    sent({ round, all }: { readonly round: boolean; readonly all: boolean }): void {
      if (round && utilization() > BUSY) lines.start(BUSY_SPACING);
      if (all) awaited = false;
      gathering.prolong(GATHERING);
    },
  };
}

interface Pause {
  readonly on: boolean;
  /** Starts it, unless it is on; `ms` long. */
  start(ms: number): void;
  /** It is on for `ms` from now. */
  prolong(ms: number): void;
}

function createPause(clock: Clock, after: () => void): Pause {
  let on = false;
  let until = 0;
  const last = async () => {
    for (let left = until - clock.monotonic(); left > 0; left = until - clock.monotonic()) await clock.sleep(left);
    on = false;
    after();
  };
  const prolong = (ms: number) => {
    until = clock.monotonic() + ms;
    if (on) return;
    on = true;
    void last();
  };
  return {
    get on() {
      return on;
    },
    start(ms) {
      if (!on) prolong(ms);
    },
    prolong,
  };
}

interface Batch {
  readonly messages: readonly Outgoing[];
  sent(notTaken: readonly NotTaken[]): void;
  failed(): void;
}

type Telling = Pick<SenderOptions, 'onQueued' | 'onRefused' | 'log'>;

/** A sweep request goes alone and first: it may stand for thousands of dropped changes. */
function sweepRequestBatch(request: SweepRequest, sweeps: SweepRequests, { onRefused, log }: Telling): Batch {
  const failed = () => sweeps.giveBack(request);
  return {
    messages: [request.message],
    sent([notTaken]) {
      if (notTaken === undefined) return sweeps.sent(request);
      if (!notTaken.forGood) return failed();
      sweeps.refused(request);
      onRefused('sweep');
      log.error({ event: 'sweep.not_requested', code: notTaken.code, text: 'SQS takes no such message' });
    },
    failed,
  };
}

function dirtyBatch(dirty: DirtyCopies, { onQueued, onRefused, log }: Telling): Batch | undefined {
  const batch = dirty.take(BATCH, BATCH_BYTES);
  if (batch.length === 0) return undefined;
  const refuse = (member: Dirty, code: string | undefined) => {
    dirty.refused(member);
    onRefused('change');
    log.error({ event: 'change.refused', ...member.about, code, text: 'SQS takes no such message' });
  };
  return {
    messages: batch.map(({ message }) => message),
    sent(notTaken) {
      const why = new Map(notTaken.map((one) => [one.index, one]));
      const queued = batch.filter((_, index) => !why.has(index));
      dirty.sent(queued);
      for (const member of queued) onQueued(member);
      for (const [index, member] of batch.entries()) {
        const one = why.get(index);
        if (one?.forGood === true) refuse(member, one.code);
      }
      dirty.giveBack(batch.filter((_, index) => why.get(index)?.forGood === false));
    },
    failed: () => dirty.giveBack(batch),
  };
}
