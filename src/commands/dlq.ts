import { explain } from '../dead-letters/advice.ts';
import { type Box, openBox } from '../dead-letters/box.ts';
import { selectById } from '../dead-letters/select.ts';
import type { DlqAction } from './dlq-action.ts';
import type { DlqCommand } from './dlq-command.ts';
import { dropCommand } from './dlq-drop.ts';
import { letterJson, listed, shown, unreadLines } from './dlq-print.ts';
import { redriveCommand } from './dlq-redrive.ts';
import { printable, printableJson } from './table.ts';

/** `vaultferry dlq list | show | redrive | drop`. Returns the exit code: 0, 1, or 3 where `list` found letters. */
export async function dlqCommand(options: DlqCommand, action: DlqAction): Promise<number> {
  const command = { ...options, onRead: (read: number) => options.progress(`reading the dead-letter queue: ${read}`) };
  try {
    if (action.kind === 'list') return await openBox(command.queue, command, (box) => list(command, box));
    if (action.kind === 'show') return await openBox(command.queue, command, (box) => show(command, box, action.id));
    if (action.kind === 'drop') return await dropCommand(command, action.ids);
    return await redriveCommand(command, action.chosen);
  } catch (error) {
    command.progress('');
    if (!command.signal.aborted) throw error;
    command.writeError('interrupted: every letter is where it was\n');
    return 1;
  }
}

function list({ clock, json, write, progress }: DlqCommand, { letters, unread }: Box): number {
  progress('');
  if (json) write(`${printableJson({ letters: letters.map(letterJson), ...unread })}\n`);
  else for (const line of listed(letters, unread, clock.now())) write(`${line}\n`);
  return letters.length + unread.heldByOthers + unread.waiting > 0 ? 3 : 0;
}

function show({ clock, json, write, writeError, progress }: DlqCommand, { letters, unread }: Box, id: string): number {
  progress('');
  const {
    letters: [letter],
    ambiguous,
  } = selectById(letters, [id]);
  if (letter === undefined) {
    const [several] = ambiguous;
    const why =
      several === undefined
        ? 'no letter that can be read has this ID'
        : "several letters' IDs begin so; write more of it";
    for (const line of [`${printable(id)}: ${why}`, ...unreadLines(unread)]) writeError(`${line}\n`);
    return 1;
  }
  if (json) write(`${printableJson({ ...letterJson(letter), ...explain(letter.code) })}\n`);
  else for (const line of shown(letter, clock.now())) write(`${line}\n`);
  return 0;
}
