import type { ReplicationError } from '../errors.ts';
import { parkingDeduplicationId } from '../queue/message.ts';
import type { Outgoing, Received } from '../queue/ports.ts';

/** The longest text of a letter, in characters: enough to say what to do, little enough for any batch. */
const MAX_TEXT = 1000;

/** What SQS attributes do not allow (control characters, U+FFFE, U+FFFF), and `%`, as % and the hex of their UTF-8. */
const escapeControls = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF%]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );

/** At most `MAX_TEXT` characters, and no half of a surrogate pair: SQS would refuse the whole letter for it. */
const bounded = (text: string): string =>
  escapeControls(text)
    .slice(0, MAX_TEXT)
    .replace(/[\uD800-\uDBFF]$/, '');

/**
 * The letter that a message becomes in the DLQ: its body unchanged, and why as attributes. Each letter is a group of
 * its own, since FIFO would hide the other letters of the secret's group from whoever lists them.
 * @param ref as people write it; undefined when the body could not be read
 * @param time RFC 3339, UTC
 */
export function letter(message: Received, error: ReplicationError, ref: string | undefined, time: string): Outgoing {
  return {
    body: message.body,
    group: message.id,
    deduplicationId: parkingDeduplicationId(message.id, message.receives),
    attributes: {
      code: error.code,
      text: bounded(error.message),
      ...(ref !== undefined && { ref: bounded(ref) }),
      receives: String(message.receives),
      time,
    },
  };
}
