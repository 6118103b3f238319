import type { Tour } from './tour.ts';

/** Takes a line: a command, or what came of it. */
export type Say = (line: string) => void;

export interface Step {
  readonly name: string;
  /** What was seen, in a line that holds no value. Throws when something is not as it should be. */
  readonly run: (tour: Tour, say: Say) => Promise<string>;
}
