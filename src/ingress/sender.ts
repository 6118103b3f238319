import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { BATCH, type NotTaken, type Outgoing, type Publisher } from '../queue/ports.ts';
import type { Dirty, DirtyCopies } from './dirty.ts';
import type { SweepRequest, SweepRequests } from './sweep-request.ts';

/** Batches in flight at once. */
const SENDERS = 4;
/**
 * After a batch that left nothing behind, in ms: what becomes dirty meanwhile goes together. A change after a quiet moment
 * goes at once; of a busy mount ten times fewer calls are made, each of which costs more than a thousand lines.
 */
const SPACING = 10;
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
/** Of the 256 KiB that every SQS takes in one batch, what bodies may use; the rest is for their frame. */
const BATCH_BYTES = 200 * 1024;

export interface SenderOptions {
  readonly publisher: Publisher;
  readonly dirty: DirtyCopies;
  readonly sweeps: SweepRequests;
  readonly clock: Clock;
  readonly log: Log;
  readonly onQueued: (dirty: Dirty) => void;
  /** The share of the time since it was last asked in which this thread's event loop was at work; 0 to 1. */
  readonly utilization?: () => number;
}

export interface Sender {
  /** Sends what is dirty as far as a sender is free; called after whatever made something dirty. */
  flush(): void;
  /** False while SQS cannot be reached. */
  reachable(): boolean;
  /** Resolves once nothing is dirty; does not keep anything from becoming so. */
  drained(): Promise<void>;
}

/** Never idle while something is dirty, never waiting while it is idle. */
export function createSender(options: SenderOptions): Sender {
  const { publisher, dirty, sweeps, clock, log, onQueued, utilization = () => 0 } = options;
  let inFlight = 0;
  let emptied: (() => void)[] = [];

  const flush = () => {
    while (!reach.pausing && inFlight < SENDERS) {
      const batch = sweepBatch() ?? changesBatch();
      if (batch === undefined) break;
      void send(batch);
    }
    if (inFlight > 0 || dirty.size > 0 || sweeps.pending) return;
    for (const resolve of emptied) resolve();
    emptied = [];
  };
  const reach = createReach({ clock, log, after: flush });
  const pace = createPause(clock, flush);
  const spacing = createPause(clock, flush);

  const sweepBatch = () => {
    const request = pace.on && emptied.length === 0 ? undefined : sweeps.take();
    if (request === undefined) return undefined;
    pace.start(SWEEP_PACE);
    return sweepRequestBatch(request, sweeps, log);
  };
  const changesBatch = () => {
    const batch = spacing.on && emptied.length === 0 ? undefined : dirtyBatch(dirty, { onQueued, log });
    const last = batch !== undefined && (!dirty.ready || inFlight === SENDERS - 1);
    if (last && utilization() > BUSY) spacing.start(BUSY_SPACING);
    else if (last && !dirty.ready) spacing.start(SPACING);
    return batch;
  };
  const send = async (batch: Batch) => {
    inFlight += 1;
    try {
      const notTaken = await publisher.send(batch.messages);
      batch.sent(notTaken);
      reach.answered(notTaken);
    } catch (error) {
      batch.failed();
      reach.failed(error, dirty.size);
    }
    inFlight -= 1;
    flush();
  };
  const drained = () => {
    const empty = new Promise<void>((resolve) => emptied.push(resolve));
    flush();
    return empty;
  };
  return { flush, drained, reachable: reach.reachable };
}

/** Whether SQS can be reached, told once when that changes; and the pause after it could not, or would not take a part. */
function createReach({ clock, log, after }: Pick<SenderOptions, 'clock' | 'log'> & { readonly after: () => void }) {
  let failures = 0;
  const outage = createPause(clock, after);
  return {
    reachable: () => failures === 0,
    get pausing() {
      return outage.on;
    },
    answered(notTaken: readonly NotTaken[]) {
      if (failures > 0) log.info({ event: 'queue.reachable' });
      failures = 0;
      if (notTaken.some(({ forGood }) => !forGood)) outage.start(REFUSED_PAUSE);
    },
    failed(error: unknown, dirty: number) {
      if (failures === 0) log.warn({ event: 'queue.unreachable', err: error, dirty });
      failures += 1;
      outage.start(backoff(Math.min(failures, 4), Math.random()) * 1000);
    },
  };
}

interface Pause {
  readonly on: boolean;
  /** Starts it, unless it is on; `ms` long. */
  start(ms: number): void;
}

function createPause(clock: Clock, after: () => void): Pause {
  let on = false;
  const last = async (ms: number) => {
    await clock.sleep(ms);
    on = false;
    after();
  };
  return {
    get on() {
      return on;
    },
    start(ms) {
      if (on) return;
      on = true;
      void last(ms);
    },
  };
}

interface Batch {
  readonly messages: readonly Outgoing[];
  sent(notTaken: readonly NotTaken[]): void;
  failed(): void;
}

/** A sweep request goes alone and first: it may stand for thousands of dropped changes. */
function sweepRequestBatch(request: SweepRequest, sweeps: SweepRequests, log: Log): Batch {
  const failed = () => sweeps.giveBack(request);
  return {
    messages: [request.message],
    sent([refused]) {
      if (refused?.forGood === false) return failed();
      if (refused !== undefined) return log.error({ event: 'sweep.not_requested', text: 'SQS takes no such message' });
      for (const told of request.onQueued) told();
    },
    failed,
  };
}

function dirtyBatch(dirty: DirtyCopies, { onQueued, log }: Pick<SenderOptions, 'onQueued' | 'log'>): Batch | undefined {
  const batch = dirty.take(BATCH, BATCH_BYTES);
  if (batch.length === 0) return undefined;
  return {
    messages: batch.map(({ message }) => message),
    sent(notTaken) {
      const again = new Set(notTaken.flatMap(({ index, forGood }) => (forGood ? [] : [index])));
      const refused = notTaken.length - again.size;
      if (refused > 0) log.error({ event: 'change.refused', messages: refused, text: 'SQS takes no such message' });
      const done = batch.filter((_, index) => !again.has(index));
      dirty.sent(done);
      for (const member of done) onQueued(member);
      dirty.giveBack(batch.filter((_, index) => again.has(index)));
    },
    failed: () => dirty.giveBack(batch),
  };
}
