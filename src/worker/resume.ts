import type { Received } from '../queue/ports.ts';
import type { ConsumerOptions } from './consumer.ts';
import type { InFlight } from './in-flight.ts';
import type { Places } from './places.ts';

interface ResumeOptions extends Pick<ConsumerOptions, 'gate' | 'beside'> {
  readonly places: Pick<Places, 'turn'>;
  readonly inFlight: InFlight;
  readonly start: (group: string, messages: readonly Received[], release: () => void) => void;
  readonly giveBack: (messages: readonly Received[]) => Promise<unknown>;
}

/** Brings messages that have waited back to a look of their group, each as soon as it has a place. */
export interface Resumption {
  resume(messages: readonly Received[]): void;
  /** After the signal has aborted: resolves when whoever still stood in line was given back. */
  ended(): Promise<void>;
}

export function createResumption(options: ResumeOptions, signal: AbortSignal): Resumption {
  const { gate, beside, places, inFlight, start, giveBack } = options;
  const standing = new Set<Promise<unknown>>();
  const again = async (group: string, messages: readonly Received[]) => {
    await gate.open(signal);
    const release = beside(group) ? noPlace : await places.turn(signal);
    if (release !== undefined && !signal.aborted) return start(group, messages, release);
    release?.();
    inFlight.remove(messages);
    return giveBack(messages);
  };
  return {
    resume(messages) {
      for (const [group, together] of byGroup(messages)) {
        const standsInLine = again(group, together).finally(() => standing.delete(standsInLine));
        standing.add(standsInLine);
      }
    },
    ended: async () => {
      await Promise.all(standing);
    },
  };
}

export const noPlace = () => {};

export function byGroup(messages: readonly Received[]): Map<string, Received[]> {
  const groups = new Map<string, Received[]>();
  for (const message of messages) {
    const together = groups.get(message.group);
    if (together === undefined) groups.set(message.group, [message]);
    else together.push(message);
  }
  return groups;
}
