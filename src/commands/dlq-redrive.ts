import { type Box, type HeldLetter, openBox } from '../dead-letters/box.ts';
import { selectById } from '../dead-letters/select.ts';
import { sendBack } from '../dead-letters/send-back.ts';
import type { Chosen } from './dlq-action.ts';
import { type DlqCommand, whyStopped } from './dlq-command.ts';
import { emptyTally, NOT_CONFIRMED, report, type Tally, tellDone } from './dlq-tally.ts';
import { count } from './table.ts';

/**
 * `vaultferry dlq redrive`: sends the chosen letters' messages back, one by one, oldest first. Letters that waited
 * behind others of their group come into sight once those are gone, so it looks again while that helps.
 */
export async function redriveCommand(command: DlqCommand, chosen: Chosen): Promise<number> {
  const tally = emptyTally('redriven');
  try {
    let newest = Number.POSITIVE_INFINITY;
    for (let again = true; again; ) {
      again = await openBox(command.queue, command, async (box) => {
        const more = await pass(command, chosen, box, newest, tally);
        // What comes after the first reading failed once more, or is new: nobody asked for that. SQS's clock is told in
        // whole seconds, so what comes within that one may still go.
        newest = Math.min(newest, box.date + 1_000);
        return more;
      });
    }
  } catch (error) {
    if (tally.done.length === 0) throw error;
    tally.stopped ??= whyStopped(command, error);
  }
  return report(command, tally);
}

/** One reading of the queue. True when another one may find letters that were chosen and not seen. */
async function pass(command: DlqCommand, chosen: Chosen, box: Box, newest: number, tally: Tally): Promise<boolean> {
  const letters = choose(chosen, box, tally).filter(({ id, sentAt }) => sentAt < newest && !tally.failed.has(id));
  const first = newest === Number.POSITIVE_INFINITY;
  if (first && chosen.by === 'all' && letters.length > 0 && !(await confirmed(command, letters.length, box))) {
    tally.stopped = NOT_CONFIRMED;
    return false;
  }
  const before = tally.done.length;
  for (const letter of letters) {
    if (!(await sendOne(command, box, letter, before + letters.length, tally))) return false;
  }
  return chosen.by !== 'ids' && tally.done.length > before && box.unread.waiting > 0;
}

function choose(chosen: Chosen, { letters, unread }: Box, tally: Tally): readonly HeldLetter[] {
  tally.unread = unread;
  if (chosen.by === 'code') return letters.filter(({ code }) => code === chosen.code);
  if (chosen.by === 'all') {
    const ours = letters.filter(({ kind }) => kind !== 'foreign');
    tally.foreign = letters.length - ours.length;
    return ours;
  }
  const selection = selectById(letters, chosen.ids);
  tally.unknown = selection.unknown;
  tally.ambiguous = selection.ambiguous;
  return selection.letters;
}

function confirmed(
  { yes, ask, progress }: DlqCommand,
  number: number,
  { unread: { waiting } }: Box,
): boolean | Promise<boolean> {
  progress('');
  const behind = waiting > 0 ? ` and what waits behind them (about ${waiting} more)` : '';
  return yes || ask(`Send ${count(number, 'letter')}${behind} back to the queue?`);
}

/** False when there is no use in going on. */
async function sendOne(
  command: DlqCommand,
  box: Box,
  letter: HeldLetter,
  total: number,
  tally: Tally,
): Promise<boolean> {
  try {
    command.signal.throwIfAborted();
    const reason = await sendBack(command, box, letter);
    if (reason === undefined) tellDone(command, tally, letter, total);
    else tally.failed.set(letter.id, { letter, reason });
    return true;
  } catch (error) {
    tally.stopped = whyStopped(command, error);
    return false;
  }
}
