import { type Box, openBox } from '../dead-letters/box.ts';
import { selectById } from '../dead-letters/select.ts';
import { type DlqCommand, whyStopped } from './dlq-command.ts';
import { subject } from './dlq-print.ts';
import { emptyTally, NOT_CONFIRMED, report, type Tally, tellDone } from './dlq-tally.ts';
import { count, printable } from './table.ts';

/** `vaultferry dlq drop ID…`: shows the letters, asks, and deletes them for good. */
export async function dropCommand(command: DlqCommand, ids: readonly string[]): Promise<number> {
  const tally = emptyTally('dropped');
  await openBox(command.queue, command, async (box) => {
    const { letters, unknown, ambiguous } = selectById(box.letters, ids);
    Object.assign(tally, { unknown, ambiguous, unread: box.unread });
    if (letters.length === 0 || (await confirmed(command, letters))) await dropEach(command, box, letters, tally);
    else tally.stopped = NOT_CONFIRMED;
  });
  return report(command, tally);
}

async function confirmed({ yes, ask, writeError, progress }: DlqCommand, letters: Box['letters']): Promise<boolean> {
  if (yes) return true;
  progress('');
  for (const letter of letters) writeError(`${printable(letter.id)} ${letter.code} ${subject(letter)}\n`);
  const foreign = letters.filter(({ kind }) => kind === 'foreign').length;
  const some = foreign > 0 ? `, ${foreign} of them foreign (not VaultFerry's)` : '';
  return ask(`Delete ${count(letters.length, 'letter')}${some} for good?`);
}

async function dropEach(command: DlqCommand, box: Box, letters: Box['letters'], tally: Tally): Promise<void> {
  for (const letter of letters) {
    try {
      command.signal.throwIfAborted();
      await box.remove(letter);
      tellDone(command, tally, letter, letters.length);
    } catch (error) {
      tally.stopped = whyStopped(command, error);
      return;
    }
  }
}
