import type { Received } from '../queue/ports.ts';

/** How often the looks at a receive's messages have failed here. */
export interface Tries {
  /** Counts one more for each; the least of them, this one included. */
  another(messages: readonly Received[]): number;
}

export function createTries(): Tries {
  const counts = new WeakMap<Received, number>();
  return {
    another: (messages) =>
      Math.min(
        ...messages.map((message) => {
          const count = (counts.get(message) ?? 0) + 1;
          counts.set(message, count);
          return count;
        }),
      ),
  };
}
