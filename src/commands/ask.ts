import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

export interface Asking {
  readonly input: Readable;
  readonly output: Writable;
  /** Ends the question; the answer is then a rejection. */
  readonly signal: AbortSignal;
}

/** Asks a yes/no question; everything but y and yes is no, the end of the input too. */
export async function ask(question: string, { input, output, signal }: Asking): Promise<boolean> {
  // Not as a terminal: readline would take Ctrl-C for itself, and it is the program's signal to give letters back.
  const lines = createInterface({ input, output, terminal: false });
  const ended = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended]);
    if (answer === undefined) output.write('\n'); // nobody has ended the question's line
    return /^(y|yes)$/i.test(answer?.trim() ?? '');
  } finally {
    lines.close();
  }
}
