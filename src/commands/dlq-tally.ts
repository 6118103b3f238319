import type { Unread } from '../dead-letters/box.ts';
import type { Letter } from '../dead-letters/letter.ts';
import type { DlqCommand } from './dlq-command.ts';
import { letterJson, subject, unreadLines } from './dlq-print.ts';
import { count, printable, printableJson } from './table.ts';

/** What became of the letters that a command was to change. */
export interface Tally {
  readonly verb: 'redriven' | 'dropped';
  readonly done: Letter[];
  /** Letters that are where they were, by id. */
  readonly failed: Map<string, { readonly letter: Letter; readonly reason: string }>;
  /** IDs that name no letter, and such as name several. */
  unknown: readonly string[];
  ambiguous: readonly string[];
  /** Foreign letters that `--all` left alone. */
  foreign: number;
  unread: Unread;
  /** Why it ended before all were tried, a sentence. */
  stopped?: string;
}

export const NOT_CONFIRMED = 'not confirmed: every letter is where it was';

export const emptyTally = (verb: Tally['verb']): Tally => ({
  verb,
  done: [],
  failed: new Map(),
  unknown: [],
  ambiguous: [],
  foreign: 0,
  unread: { heldByOthers: 0, waiting: 0 },
});

/** One line for each letter as it goes: that is a script's progress, and a person's. */
export function tellDone({ json, write, progress }: DlqCommand, tally: Tally, letter: Letter, total: number): void {
  tally.done.push(letter);
  progress(json ? `${tally.verb} ${tally.done.length} of ${total}` : '');
  if (!json) write(`${tally.verb} ${printable(letter.id)} ${subject(letter)}\n`);
}

/** Says what became of them. Returns the exit code: 0, or 1 if anything that was asked for was not done. */
export function report(command: DlqCommand, tally: Tally): number {
  command.progress('');
  const complaints = complaintsOf(tally);
  for (const complaint of complaints) command.writeError(`${printable(complaint)}\n`);
  if (command.json) command.write(`${printableJson(tallyJson(tally))}\n`);
  else for (const line of summary(tally)) command.write(`${line}\n`);
  return complaints.length > 0 ? 1 : 0;
}

const complaintsOf = ({ failed, unknown, ambiguous, stopped }: Tally): string[] => [
  ...[...failed.values()].map(({ letter, reason }) => `${letter.id} ${subject(letter)}: ${reason}`),
  ...unknown.map((id) => `${id}: no letter that can be read has this ID`),
  ...ambiguous.map((id) => `${id}: several letters' IDs begin so; write more of it`),
  ...(stopped === undefined ? [] : [stopped]),
];

function tallyJson({ verb, done, failed, unknown, ambiguous, foreign, unread }: Tally) {
  const told = [...failed.values()].map(({ letter, reason }) => ({ ...letterJson(letter), reason }));
  return { [verb]: done.map(letterJson), failed: told, unknown, ambiguous, foreign, ...unread };
}

function summary({ verb, done, unknown, foreign, unread }: Tally): string[] {
  const rest = verb === 'redriven' || unknown.length > 0 ? unreadLines(unread) : [];
  const alone = foreign > 0 ? [`${count(foreign, 'foreign letter')} left alone`] : [];
  return [`${count(done.length, 'letter')} ${verb}`, ...alone, ...rest];
}
