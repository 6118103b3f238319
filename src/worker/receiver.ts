import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Inbox, Received } from '../queue/ports.ts';

export interface Receiver {
  /** What a long poll brings; nothing, after a pause, where SQS cannot be reached. */
  receive(max: number, waitSeconds: number | undefined): Promise<Received[]>;
  /** False while SQS cannot be reached. */
  receiving(): boolean;
}

/** Long polls, one after the other; while SQS cannot be reached, ever longer pauses between them. */
export function createReceiver(
  { inbox, clock, log }: { readonly inbox: Inbox; readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Receiver {
  let failures = 0;
  return {
    receiving: () => failures === 0,
    async receive(max, waitSeconds) {
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
