import { LETTER_CODES } from '../dead-letters/advice.ts';
import { type Box, type HeldLetter, openBox } from '../dead-letters/box.ts';
import { selectById } from '../dead-letters/select.ts';
import { sendBack } from '../dead-letters/send-back.ts';
import type { Chosen } from './dlq-action.ts';
import { type DlqCommand, whyStopped } from './dlq-command.ts';
import { emptyTally, NOT_CONFIRMED, report, type Tally, tellDone } from './dlq-tally.ts';
import { count } from './table.ts';

/** Another reader often holds letters for a moment only: how often it is looked for them again, and after how many ms. */
const LOOKS_FOR_UNREAD = 3;
const UNREAD_PAUSE = 2_000;

/**
 * `vaultferry dlq redrive`: sends the chosen letters' messages back, one by one, oldest first. Letters that waited
 * behind others of their group, or were held by another reader, come into sight later, so it looks again for a while.
 */
export async function redriveCommand(command: DlqCommand, chosen: Chosen): Promise<number> {
  const tally = emptyTally('redriven');
  try {
    let newest = Number.POSITIVE_INFINITY;
    const look = () =>
      openBox(command.queue, command, async (box) => {
        const next = await pass(command, chosen, box, newest, tally);
        // What comes after the first reading failed once more, or is new: nobody asked for that. SQS's clock is told in
        // whole seconds, so what comes within that one may still go.
        newest = Math.min(newest, box.date + 1_000);
        return next;
      });
    let looks = LOOKS_FOR_UNREAD;
    for (let next = await look(); next !== 'end' && looks > 0; next = await look()) {
      looks = next === 'now' ? LOOKS_FOR_UNREAD : looks - 1;
      if (next === 'later') await command.clock.sleep(UNREAD_PAUSE, command.signal);
    }
    const lacking = chosen.by === 'ids' ? undefined : (stillUnread(tally) ?? unknownCode(chosen, tally));
    if (lacking !== undefined) tally.stopped ??= lacking;
  } catch (error) {
    if (tally.done.length === 0) throw error;
    tally.stopped ??= whyStopped(command, error);
  }
  return report(command, tally);
}

function stillUnread({ unread: { heldByOthers, waiting } }: Tally): string | undefined {
  if (heldByOthers + waiting === 0) return undefined;
  return `not all letters could be read (${heldByOthers} held by another reader, ${waiting} behind others of their group): run it again`;
}

/** A code that is unknown here may be an older or newer VaultFerry's; without a letter, it is a slip of the pen. */
function unknownCode(chosen: Chosen, { done, failed }: Tally): string | undefined {
  if (chosen.by !== 'code' || done.length + failed.size > 0 || LETTER_CODES.includes(chosen.code)) return undefined;
  return `--code ${chosen.code}: there is no such code, and no letter has it; dlq list shows each letter's`;
}

/** When another reading may find letters that were chosen and not seen. */
type Next = 'now' | 'later' | 'end';

/** One reading of the queue. */
async function pass(command: DlqCommand, chosen: Chosen, box: Box, newest: number, tally: Tally): Promise<Next> {
  const letters = choose(chosen, box, tally).filter(({ id, sentAt }) => sentAt < newest && !tally.failed.has(id));
  const first = newest === Number.POSITIVE_INFINITY;
  if (first && chosen.by === 'all' && letters.length > 0 && !(await confirmed(command, letters.length, box))) {
    tally.stopped = NOT_CONFIRMED;
    return 'end';
  }
  const before = tally.done.length;
  for (const letter of letters) {
    if (!(await sendOne(command, box, letter, before + letters.length, tally))) return 'end';
  }
  const { heldByOthers, waiting } = box.unread;
  if (chosen.by === 'ids' || heldByOthers + waiting === 0) return 'end';
  return tally.done.length > before && waiting > 0 ? 'now' : 'later';
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
