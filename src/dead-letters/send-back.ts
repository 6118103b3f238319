import { ReplicationError, toReplicationError } from '../errors.ts';
import type { Publisher } from '../queue/ports.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Box, HeldLetter } from './box.ts';
import { redriveOf } from './redrive.ts';

export interface SendBack {
  readonly routes: Routes;
  readonly publisher: Publisher;
  /** A MessageDeduplicationId that was never used: SQS must not take the message for the one that failed. */
  readonly freshId: () => string;
}

/**
 * Puts a letter's message on the queue again, its body unchanged, and then removes the letter: a crash in between
 * leaves both, which costs a second look. Returns why a letter is still there, where it is. Throws queue_unavailable
 * when the queue does not take the message.
 */
export async function sendBack(
  { routes, publisher, freshId }: SendBack,
  box: Pick<Box, 'remove'>,
  letter: HeldLetter,
): Promise<string | undefined> {
  const redrive = redriveOf(letter, routes);
  if (redrive.kind === 'refuse') return redrive.reason;
  const message = { body: letter.body, group: redrive.group, deduplicationId: freshId() };
  const [refused] = await publisher.send([message]);
  if (refused !== undefined) throw new ReplicationError('queue_unavailable', 'SQS did not take the message');
  return box.remove(letter).then(() => undefined, stillThere);
}

const stillThere = (error: unknown): string =>
  `its message is on the queue again, but the letter could not be removed (${toReplicationError(error).message}): drop it`;
