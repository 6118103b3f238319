import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { BATCH, type Inbox, type Received } from '../queue/ports.ts';
import type { Gate } from './gate.ts';
import { startHeartbeat } from './heartbeat.ts';
import { hideTogether } from './hide.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createLooks, type Looks } from './looks.ts';
import { createPlaces, type Places } from './places.ts';
import { createReceiver, type Receiver } from './receiver.ts';
import { byGroup, createResumption, noPlace } from './resume.ts';
import type { Settlement } from './settlement.ts';
import { createWaitingRoom } from './waiting.ts';

/** How long a receive waits for looks that are under way, in ms. */
const A_MOMENT = 50;
/** How long a receive waits for messages while a group is in flight, in seconds: see {@link soon}. */
const BRIEF_WAIT = 1;

export interface ConsumerOptions {
  readonly inbox: Inbox;
  /** While it is closed, nothing is received. */
  readonly gate: Pick<Gate, 'open' | 'closed' | 'up'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Groups that are looked at side by side; what one receive brings may pass it by a few while others resume. */
  readonly concurrency: number;
  /** How long a received message is hidden, in ms. */
  readonly visibility: number;
  /** Groups that take no place of `concurrency`: a sweep must not keep fresh writes waiting. */
  readonly beside: (group: string) => boolean;
  /** Looks at the messages of one group; must not throw. */
  readonly look: (messages: readonly Received[]) => Promise<Settlement>;
}

export interface Consumer {
  /** Ends after the running poll and the running looks; what comes with the last poll, or waits, is given back. */
  stop(): Promise<void>;
  /** Settles when the consumer has stopped. */
  readonly stopped: Promise<void>;
  readonly inFlight: InFlight;
  /** False while SQS cannot be reached. */
  receiving(): boolean;
}

/**
 * Receives whenever a place is free, so that a receive is always waiting when a message arrives; groups are looked at
 * side by side, each group's messages together. A heartbeat keeps what is held hidden from others.
 */
export function startConsumer(options: ConsumerOptions): Consumer {
  const { inbox, log } = options;
  const inFlight = createInFlight(options.clock);
  const places = createPlaces(options.concurrency);
  const stopping = new AbortController();
  const beating = new AbortController();
  const { signal } = stopping;
  setMaxListeners(0, signal); // each message that waits hears of it
  const beats = startHeartbeat(options, inFlight, beating.signal);
  const { quiet } = beats;
  const giveBack = (messages: readonly Received[]) =>
    hideTogether(inbox, messages, 0).catch((error: unknown) => log.warn({ event: 'queue.unsettled', err: error }));
  const start: Looks['start'] = (group, messages, release) => looks.start(group, messages, release);
  const resumption = createResumption({ ...options, places, inFlight, start, giveBack }, signal);
  const room = createWaitingRoom({ ...options, quiet, resume: resumption.resume }, inFlight, signal);
  const looks = createLooks({ ...options, quiet }, inFlight, room);

  const receiver = createReceiver(options, signal);
  const poll = createPoll(options, { places, inFlight, receiver, looks, giveBack }, signal);

  const run = async () => {
    while (!signal.aborted) await poll();
    await looks.ended();
    await room.ended();
    await resumption.ended();
    beating.abort();
    await beats.ended;
  };
  const stopped = run();
  return {
    stopped,
    inFlight,
    receiving: receiver.receiving,
    stop() {
      stopping.abort();
      return stopped;
    },
  };
}

interface PollParts {
  readonly places: Places;
  readonly inFlight: InFlight;
  readonly receiver: Receiver;
  readonly looks: Looks;
  readonly giveBack: (messages: readonly Received[]) => Promise<unknown>;
}

/** One receive, and the begin of the looks at what it brings. */
function createPoll(options: ConsumerOptions, parts: PollParts, signal: AbortSignal): () => Promise<unknown> {
  const { gate, clock, beside } = options;
  const { places, inFlight, receiver, looks, giveBack } = parts;
  return async () => {
    await soon(looks.ended(), clock);
    const free = await places.free();
    await gate.open(signal);
    if (signal.aborted) return undefined;
    const holding = inFlight.extendable(0).length + inFlight.waiting > 0;
    const messages = await receiver.receive(Math.min(BATCH, free), holding ? BRIEF_WAIT : undefined);
    if (signal.aborted || gate.closed()) return giveBack(messages);
    inFlight.add(messages);
    for (const [group, together] of byGroup(messages)) {
      looks.start(group, together, beside(group) ? noPlace : places.take());
    }
    return undefined;
  };
}

/**
 * Waits for the looks that are just under way, at most a moment: a receive that begins while a group is in flight may
 * not see that group's next message (some emulators), and what comes meanwhile comes with the next receive.
 */
async function soon(looks: Promise<unknown>, clock: Clock): Promise<void> {
  const ended = new AbortController();
  await Promise.race([looks, clock.sleep(A_MOMENT, ended.signal)]);
  ended.abort();
}
