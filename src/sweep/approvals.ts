import { encodeMessage } from '../queue/message.ts';
import type { Approval } from './deletion.ts';

/** SQS takes 1 MiB, some of its stand-ins 256 KiB. In bytes; a character that must be escaped takes twice as many. */
const MOST_BYTES = 100_000;

/** The bodies of the sweep requests that carry these approvals: as few as fit. */
export function approvalRequests(vault: string, approvals: readonly Approval[]): readonly string[] {
  const request = { v: 1, kind: 'sweep', vault, origin: 'operator' } as const;
  return inChunks(approvals).map((approve) => encodeMessage({ ...request, approve }));
}

function inChunks(approvals: readonly Approval[]): Approval[][] {
  const chunks: Approval[][] = [];
  let left = 0;
  for (const approval of approvals) {
    const bytes = Buffer.byteLength(JSON.stringify(approval)) + 1;
    if (bytes > left) {
      chunks.push([]);
      left = MOST_BYTES;
    }
    chunks.at(-1)?.push(approval);
    left -= bytes;
  }
  return chunks;
}
