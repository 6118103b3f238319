import { BATCH, type Inbox, type Received } from '../queue/ports.ts';

/**
 * Hides the messages for `seconds`, 0 gives them back. All batches at once: one that waited for another's answer could
 * hide again what was given back meanwhile, and while SQS hangs the last ones would come too late. Throws the first
 * failure once all batches were answered.
 */
export async function hideTogether(
  inbox: Pick<Inbox, 'hide'>,
  messages: readonly Received[],
  seconds: number,
): Promise<void> {
  const batches = Array.from({ length: Math.ceil(messages.length / BATCH) }, (_, number) =>
    messages.slice(number * BATCH, (number + 1) * BATCH),
  );
  const sent = await Promise.allSettled(batches.map((batch) => inbox.hide(batch, seconds)));
  for (const result of sent) if (result.status === 'rejected') throw result.reason;
}
