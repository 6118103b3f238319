import { type Message, parseMessage } from '../queue/message.ts';
import type { Received } from '../queue/ports.ts';
import { formatRef } from '../replicate/ref.ts';

/** A message of the dead-letter queue, told apart by what it carries. */
export interface Letter {
  /** SQS's MessageId: a letter keeps it for as long as it stands in the queue. */
  readonly id: string;
  /**
   * - `parked`: a worker put it here and wrote why;
   * - `worker_died`: SQS moved it here, since it was received 100 times and no worker lived to say why;
   * - `foreign`: none of VaultFerry's.
   */
  readonly kind: 'parked' | 'worker_died' | 'foreign';
  /** Why it was parked; it may be a code of a newer version. Else the kind. */
  readonly code: string;
  /** What the worker wrote of it. */
  readonly text?: string;
  /** As people write it; undefined for a sweep request and where the body cannot be read. */
  readonly ref?: string;
  /** How often it was received before it was parked. */
  readonly receives?: number;
  /** When it was parked, RFC 3339. */
  readonly time?: string;
  /** When it came into the dead-letter queue, by SQS's clock; ms since the epoch. */
  readonly sentAt: number;
  /** The body's size in bytes of UTF-8. */
  readonly bytes: number;
  /** The body; undefined where it is no message for this Vault, and then nothing of it is shown. */
  readonly message?: Message;
}

/** A received message of the dead-letter queue as a letter: by its attributes (worker/park.ts), then by its body. */
export function readLetter({ id, sentAt, body, attributes = {} }: Received, vault: string): Letter {
  const message = messageOf(body, vault);
  const envelope = {
    id,
    sentAt,
    bytes: Buffer.byteLength(body),
    ...(message !== undefined && { message }),
    ...(message?.kind === 'change' && { ref: formatRef(message) }),
  };
  const reason = reasonOf(attributes);
  if (reason !== undefined) return { ...reason, ...envelope, kind: 'parked' };
  const ours = message !== undefined && attributes['code'] === undefined;
  const kind = ours ? 'worker_died' : 'foreign';
  return { ...(ours ? envelope : { id, sentAt, bytes: envelope.bytes }), kind, code: kind };
}

function messageOf(body: string, vault: string): Message | undefined {
  try {
    return parseMessage(body, vault);
  } catch {
    return undefined;
  }
}

/** Undefined unless every attribute that a parking writes is there and reads as it does. */
function reasonOf({ code = '', text = '', ref, receives = '', time = '' }: Readonly<Record<string, string>>) {
  const written = /^[a-z_]{1,64}$/.test(code) && /^\d{1,9}$/.test(receives) && !Number.isNaN(Date.parse(time));
  if (!written) return undefined;
  return {
    code,
    text: unescapeControls(text),
    ...(ref !== undefined && { ref: unescapeControls(ref) }),
    receives: Number(receives),
    time,
  };
}

/** Undoes what a parking did to fit the text into an attribute. */
const unescapeControls = (text: string): string =>
  text.replace(/(?:%[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
