import type { Log } from '../log.ts';
import type { Inbox, Received } from '../queue/ports.ts';
import type { InFlight } from './in-flight.ts';
import type { Settlement } from './settlement.ts';
import type { WaitingRoom } from './waiting.ts';

export interface LooksOptions {
  readonly inbox: Inbox;
  readonly log: Log;
  /** Looks at the messages of one group; must not throw. */
  readonly look: (messages: readonly Received[]) => Promise<Settlement>;
  /** Resolves when no heartbeat is on its way that would undo a settlement. */
  readonly quiet: () => Promise<void>;
}

/** The looks that are going on: one at a time for each group. */
export interface Looks {
  /** Looks at the messages once the group's look before is over, settles them, then releases the place. */
  start(group: string, messages: readonly Received[], release: () => void): void;
  /** Resolves when none is going on. */
  ended(): Promise<void>;
}

const NOTHING: Settlement = { acknowledge: [], hide: [] };

/** Should SQS hand out a group twice (a late heartbeat), the second waits. */
export function createLooks({ inbox, log, look, quiet }: LooksOptions, inFlight: InFlight, room: WaitingRoom): Looks {
  const running = new Map<string, Promise<void>>();

  const settle = async (messages: readonly Received[], { acknowledge, hide, wait = [] }: Settlement) => {
    const waiting = new Set(wait.flatMap((some) => some.messages));
    inFlight.remove(messages.filter((message) => !waiting.has(message))); // first, so that no heartbeat undoes the calls
    for (const each of wait) await room.wait(each);
    if (acknowledge.length > 0) await inbox.acknowledge(acknowledge);
    if (hide.length > 0) await quiet();
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
    start(group, messages, release) {
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
