import { randomUUID } from 'node:crypto';
import { ReplicationError } from '../errors.ts';
import { sweepGroup } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';
import { formatRef } from '../replicate/ref.ts';
import { approvalRequests } from '../sweep/approvals.ts';
import { type Approval, approvalOf, type Due } from '../sweep/deletion.ts';
import { type CompareEnds, compareEnds, type Gap } from './compare-ends.ts';
import { gapLine } from './plan-print.ts';
import { alignedTable, count, printable, printableJson } from './table.ts';

export interface ApproveCommand extends CompareEnds {
  readonly publisher: Publisher;
  /** Answers the question beforehand. */
  readonly yes: boolean;
  readonly ask: (question: string) => Promise<boolean>;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * `vaultferry sweep --approve-deletes`: shows the deletions that the guard holds, asks, and sends the workers a request
 * for a sweep that may delete these. Returns the exit code: 0; 1 not approved, or nothing could be listed; 3 not all
 * could be. Throws when SQS fails.
 */
export async function approveCommand(command: ApproveCommand): Promise<number> {
  const { yes, ask, json, meter, signal, write, writeError } = command;
  const { held, gaps, nothing } = await compareEnds(command, 'listings', () => undefined, signal).finally(meter.end);
  if (!json || !yes) (json ? writeError : write)(heldText(held, gaps));
  const approved = held.length === 0 || yes || (await ask(`Approve ${count(held.length, 'deletion')}?`));
  if (approved) await send(command, held.map(approvalOf));
  const number = approved ? held.length : 0;
  if (json) write(`${printableJson({ held: held.map(heldJson), approved: number, gaps })}\n`);
  else if (number > 0)
    write(`approved ${count(number, 'deletion')}: a worker's next sweep schedules what is still so\n`);
  if (!approved) writeError('nothing was approved\n');
  if (!approved || nothing) return 1;
  return gaps.length > 0 ? 3 : 0;
}

/** Each a message with an id of its own: SQS must not take a second word for the first. */
async function send({ vault, publisher }: ApproveCommand, approvals: readonly Approval[]): Promise<void> {
  for (const body of approvalRequests(vault, approvals)) {
    const [refused] = await publisher.send([{ body, group: sweepGroup(vault), deduplicationId: randomUUID() }]);
    if (refused !== undefined) throw new ReplicationError('queue_unavailable', NOT_TAKEN);
  }
}

const NOT_TAKEN = 'SQS did not take the request for a sweep, so that not all is approved; try again';

const absentSince = ({ mark }: Due): string => mark.slice(0, mark.indexOf(' '));

function heldJson(due: Due) {
  const { ref, target } = due;
  const { destination, secretName } = target;
  return { ref: formatRef(ref), destination, secretName, versionId: due.versionId, absentSince: absentSince(due) };
}

const HEAD = ['SECRET', 'DESTINATION', 'VERSION ID', 'ABSENT SINCE'];

function heldText(held: readonly Due[], gaps: readonly Gap[]): string {
  const lines = gaps.map(gapLine);
  if (held.length === 0) return [...lines, 'no deletion is held', ''].join('\n');
  const rows = held.map((due) => {
    const { ref, target } = due;
    return [printable(formatRef(ref)), target.destination, printable(due.versionId), printable(absentSince(due))];
  });
  return [...lines, ...alignedTable([HEAD, ...rows]), ''].join('\n');
}
