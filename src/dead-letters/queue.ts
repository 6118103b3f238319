import { BATCH, type Received } from '../queue/ports.ts';
import { createInbox, deleteMessage, queueAttributes } from '../queue/sqs.ts';

/** How long a letter that is looked at stays hidden if this program dies, in seconds. */
export const LETTER_VISIBILITY = 30;
/** A poll that waits asks all of SQS's servers; one that does not may miss letters. In seconds. */
const WAIT_SECONDS = 1;

/** What the queue says of itself; SQS calls the numbers approximate. */
export interface LetterCount {
  /** Letters that are not in flight, those included that wait behind one of their group. */
  readonly visible: number;
  /** Letters that were received by this or another reader and not yet given back. */
  readonly inFlight: number;
  /** SQS's clock, ms since the epoch, whole seconds. */
  readonly date: number;
}

/** The dead-letter queue as its commands use it. Everything throws queue_unavailable. */
export interface LetterQueue {
  /** Some letters that are not hidden; none once a poll brings none. */
  receive(): Promise<Received[]>;
  /** Hides the letters for `seconds` from now; 0 gives them back at once. */
  hide(letters: readonly Received[], seconds: number): Promise<void>;
  /** Throws too when the letter is not ours to delete any more. */
  remove(letter: Received): Promise<void>;
  count(): Promise<LetterCount>;
}

type Client = Parameters<typeof createInbox>[0];

export function createLetterQueue(client: Client, url: string, waitSeconds = WAIT_SECONDS): LetterQueue {
  const inbox = createInbox(client, url, LETTER_VISIBILITY, { waitSeconds, attributes: true });
  return {
    receive: () => inbox.receive(BATCH),
    hide: inbox.hide,
    remove: (letter) => deleteMessage(client, url, letter),
    async count() {
      const { attributes, date } = await queueAttributes(client, url);
      return {
        visible: Number(attributes['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
        date,
      };
    },
  };
}
