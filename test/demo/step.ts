import type { Corridor } from './corridor.ts';

/** What a step showed; `lag` in ms, from OpenBao's answer until what follows from it was seen. */
export interface Shown {
  readonly lag: number;
  /** A few words for the table at the end. */
  readonly outcome: string;
  /** What was seen, in a line; never a value. */
  readonly seen: string;
}

export interface Step {
  readonly name: string;
  /** What a person would type for the same, with `…` for values. */
  readonly command: string;
  /** `say` takes a line about what is going on. Throws when what should follow does not in time. */
  readonly run: (corridor: Corridor, say: (line: string) => void) => Promise<Shown>;
}
