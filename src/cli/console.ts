import { systemClock } from '../clock.ts';
import { ask } from '../commands/ask.ts';
import { createMeter } from '../commands/meter.ts';
import type { View } from '../commands/plan-print.ts';
import { createTerminal } from '../commands/terminal.ts';
import { environment } from '../config/env.ts';

export const write = (text: string) => process.stdout.write(text);
export const writeError = (text: string) => process.stderr.write(text);
export const terminal = createTerminal(process.stdin, process.stderr);
export const isTerminal = process.stdout.isTTY === true;
/** Whether the log goes to a person. */
export const logsToTerminal = process.stderr.isTTY === true;

export const meterOf = (words?: { readonly listing: string; readonly doing: string }) =>
  createMeter(terminal.progress, systemClock, words);

/** How tables are laid out on stdout. */
export function viewOfStdout(): Omit<View, 'now'> {
  const coloured = isTerminal && (environment()['NO_COLOR'] ?? '') === '';
  return { coloured, columns: isTerminal ? process.stdout.columns : undefined };
}

export const askOnTerminal =
  (signal: AbortSignal = interruption()) =>
  (question: string) =>
    ask(question, { input: process.stdin, output: process.stderr, signal });

/** Aborts at the first SIGINT or SIGTERM; a second one ends the program at once. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => interrupted.abort());
  return interrupted.signal;
}

export const ownershipMeters = (listing: string) => ({
  looking: meterOf({ listing, doing: 'looking' }),
  changing: meterOf({ listing: 'tagging', doing: 'tagging' }),
});
