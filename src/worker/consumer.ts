import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { BATCH, type Inbox, type Received } from '../queue/ports.ts';
import { heartbeat } from './heartbeat.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createPlaces } from './places.ts';

/**
 * What became of a group's messages:
 * `acknowledge` those that are done; `hide` the others for so many seconds, until their next look.
 */
export interface Settlement {
  readonly acknowledge: readonly Received[];
  readonly hide: readonly { readonly messages: readonly Received[]; readonly seconds: number }[];
}

export interface ConsumerOptions {
  readonly inbox: Inbox;
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
  /** Ends after the running poll and the running looks; messages that come with the last poll are given back. */
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
  const { inbox, concurrency, log } = options;
  const inFlight = createInFlight(options.clock);
  const places = createPlaces(concurrency);
  const stopping = new AbortController();
  const beating = new AbortController();
  const receiver = createReceiver(options, stopping.signal);
  const looks = createLooks(options, inFlight);

  const poll = async () => {
    await places.free();
    if (stopping.signal.aborted) return;
    const messages = await receiver.receive();
    if (stopping.signal.aborted) return giveBack(messages);
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

/** Long polls, one after the other; while SQS cannot be reached, ever longer pauses between them. */
function createReceiver({ inbox, clock, log }: ConsumerOptions, signal: AbortSignal) {
  let failures = 0;
  return {
    receiving: () => failures === 0,
    async receive(): Promise<Received[]> {
      try {
        const messages = await inbox.receive(BATCH);
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

/** One look at a time for each group: should SQS hand out a group twice (a late heartbeat), the second waits. */
function createLooks({ inbox, log, look }: ConsumerOptions, inFlight: InFlight) {
  const running = new Map<string, Promise<void>>();

  const settle = async (messages: readonly Received[], { acknowledge, hide }: Settlement) => {
    inFlight.remove(messages); // before the calls, so that no heartbeat undoes them
    if (acknowledge.length > 0) await inbox.acknowledge(acknowledge);
    for (const { messages: later, seconds } of hide) await inbox.hide(later, seconds);
  };
  const serve = async (messages: readonly Received[]) => {
    try {
      await settle(messages, await look(messages));
    } catch (error) {
      log.warn({ event: 'queue.unsettled', err: error });
    } finally {
      inFlight.remove(messages);
    }
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
