import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { BATCH, type NotTaken, type Outgoing, type Publisher } from '../queue/ports.ts';
import type { Dirty, DirtyCopies } from './dirty.ts';
import type { SweepRequest, SweepRequests } from './sweep-request.ts';

/** Batches in flight at once. */
const SENDERS = 16;
/** Messages of all senders together: a round. */
const ROUND = SENDERS * BATCH;
/**
 * After so many batches in a row changes are gathered: each soon after the last one (in ms), or of so many that gathering
 * was worth it. A batch costs this process, and a machine that it shares with Vault, more than a hundred lines.
 */
const IN_A_ROW = 10;
const SOON = 20;
const WORTH = 4;
/**
 * How long after the last batch a round that is not full then waits for more, in ms; unless somebody waits for it. The
 * batches of a round go together: the second one costs half of the first, whose code and data the processor has at hand.
 */
const GATHERING = 40;
/**
 * From one round of batches to the next while the event loop is at work nearly all the time, in ms: a batch costs more
 * than a hundred lines of a routed mount, and lines go first, since Vault waits for whoever does not read them. What
 * waits meanwhile is coalesced, and bounded.
 */
const BUSY_SPACING = 100;
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
  /** The share of the time of late in which this thread's event loop was at work; 0 to 1. */
  readonly utilization?: () => number;
}

export interface Sender {
  /**
   * Sends what is dirty as far as a sender is free; called after whatever made something dirty.
   * @param awaited somebody waits for it to be on the queue, so that a round need not be full
   */
  flush(awaited?: boolean): void;
  /** False while SQS cannot be reached. */
  reachable(): boolean;
  /** Resolves once nothing is dirty; does not keep anything from becoming so. */
  drained(): Promise<void>;
}

/** What is dirty goes at once; while changes follow one another closely, in rounds: once one is full, or 40 ms after the last. */
export function createSender({ utilization = () => 0, ...options }: SenderOptions): Sender {
  const { publisher, dirty, sweeps, clock, log } = options;
  const emptied = createEmptied();
  let inFlight = 0;

  const flush = (awaited = false) => {
    sendRequests();
    sendRound(emptied.awaited ? 1 : pacing.enough(awaited));
    if (inFlight === 0 && dirty.size === 0 && !sweeps.pending) emptied.tell();
  };
  const reach = createReach({ clock, log, dirty, after: flush });
  const pace = createPause(clock, flush);
  const pacing = createPacing(clock, utilization, flush);
  const isFree = () => !reach.pausing && inFlight < SENDERS;

  const sendRequests = () => {
    while (isFree() && (!pace.on || emptied.awaited)) {
      const request = sweeps.take();
      if (request === undefined) return;
      pace.start(SWEEP_PACE);
      void send(sweepRequestBatch(request, sweeps, options));
    }
  };
  /** @param enough so many must be dirty for it to begin; undefined while it may not */
  const sendRound = (enough: number | undefined) => {
    if (enough === undefined || !isFree() || !dirty.has(enough)) return;
    while (isFree() && dirty.has(Math.min(enough, BATCH))) {
      const batch = dirtyBatch(dirty, options);
      pacing.sent(batch.messages.length);
      void send(batch);
    }
    pacing.roundOver(!dirty.has(1));
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
  const drained = () => {
    const empty = emptied.wait();
    flush();
    return empty;
  };
  return { flush, drained, reachable: reach.reachable };
}

/** Those who wait until nothing is dirty any more. */
function createEmptied() {
  let waiting: (() => void)[] = [];
  return {
    get awaited() {
      return waiting.length > 0;
    },
    wait: () => new Promise<void>((resolve) => waiting.push(resolve)),
    tell(): void {
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
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

/** When changes go: lines first, and then, while there are many, in rounds that are full. */
function createPacing(clock: Clock, utilization: () => number, after: () => void) {
  const lines = createPause(clock, after);
  const gathering = createPause(clock, after);
  let awaited = false;
  let last = Number.NEGATIVE_INFINITY;
  let row = 0;
  return {
    /** How many must be dirty for a round to begin; undefined while none may. @param now somebody waits for what became dirty */
    enough(now: boolean): number | undefined {
      awaited ||= now;
      if (lines.on) return undefined;
      return gathering.on && !awaited ? ROUND : 1;
    },
    /** After each batch. */
    sent(messages: number): void {
      const now = clock.monotonic();
      row = now - last < SOON || messages >= WORTH ? row + 1 : 0;
      last = now;
      if (row >= IN_A_ROW) gathering.prolong(GATHERING);
    },
    /** @param all nothing is left */
    roundOver(all: boolean): void {
      if (utilization() > BUSY) lines.start(BUSY_SPACING);
      if (all) awaited = false;
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

function dirtyBatch(dirty: DirtyCopies, { onQueued, onRefused, log }: Telling): Batch {
  const batch = dirty.take(BATCH, BATCH_BYTES);
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
