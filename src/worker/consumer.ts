import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { BATCH, type Inbox, type Received } from '../queue/ports.ts';
import { createDeferral, type Deferral } from './deferral.ts';
import type { Gate } from './gate.ts';
import { heartbeat } from './heartbeat.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createPlaces } from './places.ts';

/** How long a receive waits for looks that are under way, in ms. */
const A_MOMENT = 50;
/** How long a receive waits for messages while a group is in flight, in seconds: see {@link soon}. */
const BRIEF_WAIT = 1;

/**
 * What became of a group's messages: `acknowledge` those that are done; `hide` the others for so many seconds, until
 * their next look; `defer` those that can do nothing before a part of the gate is up.
 */
export interface Settlement {
  readonly acknowledge: readonly Received[];
  readonly hide: readonly { readonly messages: readonly Received[]; readonly seconds: number }[];
  readonly defer?: readonly { readonly messages: readonly Received[]; readonly part: string }[];
}

export interface ConsumerOptions {
  readonly inbox: Inbox;
  /** While it is closed, nothing is received. */
  readonly gate: Pick<Gate, 'open' | 'closed' | 'up'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Groups that are looked at side by side. */
  readonly concurrency: number;
  /** How long a received message is hidden, in ms. */
  readonly visibility: number;
  /** Groups that take no place of `concurrency`: a sweep must not keep fresh writes waiting. */
  readonly beside: (group: string) => boolean;
  /** Looks at the messages of one group; must not throw. */
  readonly look: (messages: readonly Received[]) => Promise<Settlement>;
}

export interface Consumer {
  /** Ends after the running poll and the running looks; what comes with the last poll, or was deferred, is given back. */
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
  const { inbox, concurrency, gate, log } = options;
  const inFlight = createInFlight(options.clock);
  const places = createPlaces(concurrency);
  const stopping = new AbortController();
  const beating = new AbortController();
  const receiver = createReceiver(options, stopping.signal);
  const deferral = createDeferral(options, inFlight, stopping.signal);
  const looks = createLooks(options, inFlight, deferral);

  const poll = async () => {
    await soon(looks.ended(), options.clock);
    const free = await places.free();
    await gate.open(stopping.signal);
    if (stopping.signal.aborted) return;
    const looking = inFlight.extendable(0).length > 0;
    const messages = await receiver.receive(Math.min(BATCH, free), looking ? BRIEF_WAIT : undefined);
    if (stopping.signal.aborted || gate.closed()) return giveBack(messages);
    inFlight.add(messages);
    for (const [group, together] of byGroup(messages)) {
      looks.start(group, together, options.beside(group) ? () => {} : places.take());
    }
  };
  const giveBack = (messages: readonly Received[]) =>
    inbox.hide(messages, 0).catch((error: unknown) => log.warn({ event: 'queue.unsettled', err: error }));

  const run = async () => {
    const beats = heartbeat(options, inFlight, beating.signal);
    while (!stopping.signal.aborted) await poll();
    await looks.ended();
    await deferral.ended();
    beating.abort();
    await beats;
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

/**
 * Waits for the looks that are just under way, at most a moment: a receive that begins while a group is in flight may
 * not see that group's next message (some emulators), and what comes meanwhile comes with the next receive.
 */
async function soon(looks: Promise<unknown>, clock: Clock): Promise<void> {
  const ended = new AbortController();
  await Promise.race([looks, clock.sleep(A_MOMENT, ended.signal)]);
  ended.abort();
}

/** Long polls, one after the other; while SQS cannot be reached, ever longer pauses between them. */
function createReceiver({ inbox, clock, log }: ConsumerOptions, signal: AbortSignal) {
  let failures = 0;
  return {
    receiving: () => failures === 0,
    async receive(max: number, waitSeconds: number | undefined): Promise<Received[]> {
      try {
        const messages = await inbox.receive(max, waitSeconds);
        if (failures > 0) log.info({ event: 'consumer.resumed', reason: 'queue' });
        failures = 0;
        return messages;
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn({ event: 'consumer.paused', reason: 'queue', err: error });
        await clock.sleep(backoff(failures, Math.random()) * 1000, signal);
        return [];
      }
    },
  };
}

const NOTHING: Settlement = { acknowledge: [], hide: [] };

/** One look at a time for each group: should SQS hand out a group twice (a late heartbeat), the second waits. */
function createLooks({ inbox, log, look }: ConsumerOptions, inFlight: InFlight, deferral: Deferral) {
  const running = new Map<string, Promise<void>>();

  const settle = async (messages: readonly Received[], { acknowledge, hide, defer = [] }: Settlement) => {
    const deferred = new Set(defer.flatMap((some) => some.messages));
    inFlight.remove(messages.filter((message) => !deferred.has(message))); // first, so that no heartbeat undoes the calls
    for (const { messages: waiting, part } of defer) await deferral.defer(waiting, part);
    if (acknowledge.length > 0) await inbox.acknowledge(acknowledge);
    for (const { messages: later, seconds } of hide) {
      await inbox.hide(later, seconds);
      inFlight.hide(later, seconds);
    }
  };
  const unsettled = (error: unknown) => {
    log.warn({ event: 'queue.unsettled', err: error });
    return NOTHING;
  };
  const serve = async (messages: readonly Received[]) => {
    await settle(messages, await look(messages).catch(unsettled)).catch(unsettled);
  };
  return {
    start(group: string, messages: readonly Received[], release: () => void) {
      const before = running.get(group) ?? Promise.resolve();
      const turn = before
        .then(() => serve(messages))
        .finally(() => {
          release();
          if (running.get(group) === turn) running.delete(group);
        });
      running.set(group, turn);
    },
    ended: async () => {
      await Promise.all(running.values());
    },
  };
}

function byGroup(messages: readonly Received[]): Map<string, Received[]> {
  const groups = new Map<string, Received[]>();
  for (const message of messages) {
    const together = groups.get(message.group);
    if (together === undefined) groups.set(message.group, [message]);
    else together.push(message);
  }
  return groups;
}
