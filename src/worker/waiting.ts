import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Inbox, Received } from '../queue/ports.ts';
import type { Gate } from './gate.ts';
import { hideTogether } from './hide.ts';
import type { InFlight } from './in-flight.ts';
import type { Wait } from './settlement.ts';

/** Messages that wait at once; past it they go back to SQS, where waiting costs a receive. */
const ROOM = 2_000;
/** How long they are hidden at a time while nobody knows when a part is back: what a killed process delays. In ms. */
const HIDDEN_FOR = 5 * 60_000;
/** Leaves time for a second try, in ms. */
const EXTENDED_EVERY = 2 * 60_000;
/** What a message waits for at SQS when there is no room, at least, in seconds; times its receives, so that they last. */
const OUTSIDE = 60;
/** The longest such wait, in seconds. */
const LONGEST_OUTSIDE = 3_600;
/** What those wait for that wait for a time. */
const A_TIME = 'a time';

export interface WaitingOptions {
  readonly inbox: Inbox;
  readonly gate: Pick<Gate, 'up'>;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a received message is hidden, in ms. */
  readonly visibility: number;
  /** Looks at the messages again. */
  readonly resume: (messages: readonly Received[]) => void;
  /** Resolves when no heartbeat is on its way that would undo a wait. */
  readonly quiet: () => Promise<void>;
}

/**
 * Messages that wait for a time or for a part while others go on. They take no place of the concurrency, stay hidden
 * from other workers, and cost no receive for as long as 11 h.
 */
export interface WaitingRoom {
  /** Resolves once the messages are hidden; what is due is resumed. */
  wait(wait: Wait): Promise<void>;
  /** After the signal has aborted: resolves when everything was given back. */
  ended(): Promise<void>;
}

export function createWaitingRoom(options: WaitingOptions, inFlight: InFlight, signal: AbortSignal): WaitingRoom {
  const { gate, clock, visibility, resume } = options;
  const { hide, giveBack } = createHiding(options);
  const holding = new Set<string>();
  const stays = new Set<Promise<void>>();
  const track = (stay: Promise<void>) => {
    const tracked = stay.finally(() => stays.delete(tracked));
    stays.add(tracked);
  };
  const leave = async (waited: readonly Received[]) => {
    const messages = inFlight.stillWaiting(waited);
    if (signal.aborted) return outside(messages, 0);
    inFlight.takeUp(messages);
    resume(messages);
  };
  const outside = async (messages: readonly Received[], atLeast: number) => {
    inFlight.remove(messages);
    await options.quiet();
    if (signal.aborted) return giveBack(messages);
    const seconds = waitOutside(messages, atLeast);
    inFlight.hide(messages, seconds);
    await hide(messages, seconds);
  };
  const untilUp = async (part: string) => {
    holding.add(part);
    const over = new AbortController();
    void gate.up(part, signal).then(() => over.abort());
    for (;;) {
      await clock.sleep(EXTENDED_EVERY, over.signal);
      if (over.signal.aborted) break;
      await hide(stillOurs(inFlight, part, HIDDEN_FOR), HIDDEN_FOR / 1000);
    }
    holding.delete(part);
    await leave(stillOurs(inFlight, part, 0));
  };
  return {
    async wait({ messages, ...until }) {
      const { what, hidden, atSqs } = stayOf(until, visibility);
      if (signal.aborted || !hasRoom(inFlight, messages, hidden * 1000)) return outside(messages, atSqs);
      inFlight.setAside(messages, what); // first, so that no heartbeat shortens the wait
      if ('seconds' in until) track(clock.sleep(until.seconds * 1000, signal).then(() => leave(messages)));
      else if (!holding.has(what)) track(untilUp(what));
      await options.quiet();
      await hide(messages, hidden); // if they are looked at by then, the heartbeat hides them anew
    },
    ended: async () => {
      await Promise.all(stays);
    },
  };
}

/** What the messages wait for, how long they are hidden while they do, and how long they stay at SQS for want of room. */
const stayOf = (until: { readonly seconds: number } | { readonly part: string }, visibility: number) =>
  'seconds' in until
    ? { what: A_TIME, hidden: Math.ceil(until.seconds + visibility / 1000), atSqs: Math.max(until.seconds, OUTSIDE) }
    : { what: until.part, hidden: HIDDEN_FOR / 1000, atSqs: HIDDEN_FOR / 1000 };

function createHiding({ inbox, log }: Pick<WaitingOptions, 'inbox' | 'log'>) {
  /** Tried twice: what stays hidden waits for minutes, and what does not costs a receive. */
  const hide = (messages: readonly Received[], seconds: number) =>
    hideTogether(inbox, messages, seconds)
      .catch(() => hideTogether(inbox, messages, seconds))
      .catch((error: unknown) => log.warn({ event: 'queue.unsettled', err: error }));
  const giveBack = (messages: readonly Received[]) => hide(messages, 0);
  return { hide, giveBack };
}

/** Each wait there costs a receive, so that the next one is longer: a hundred receives then last for days. */
function waitOutside(messages: readonly Received[], atLeast: number): number {
  const receives = Math.max(...messages.map((message) => message.receives));
  return Math.round(Math.min(Math.max(atLeast, LONGEST_OUTSIDE), atLeast * receives));
}

/** `ms`: how long they would be hidden. */
function hasRoom(inFlight: InFlight, messages: readonly Received[], ms: number): boolean {
  const ours = new Set(inFlight.extendable(ms));
  return inFlight.waiting + messages.length <= ROOM && messages.every((message) => ours.has(message));
}

/** Those that wait for the part; what SQS hands out again by itself in the next `ms` is no longer ours. */
function stillOurs(inFlight: InFlight, part: string, ms: number): Received[] {
  const ours = new Set(inFlight.extendable(ms, part));
  inFlight.remove(inFlight.aside(part).filter((message) => !ours.has(message)));
  return [...ours];
}
