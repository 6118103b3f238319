/** The entries that one batch call takes (SQS quotas). */
export const BATCH = 10;

/** A message on its way to a queue. */
export interface Outgoing {
  readonly body: string;
  /** MessageGroupId. */
  readonly group: string;
  /** MessageDeduplicationId. */
  readonly deduplicationId: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** An entry of a batch that was not taken; `forGood` when sending it again cannot help. */
export interface NotTaken {
  readonly index: number;
  readonly forGood: boolean;
  /** SQS's own word for why. */
  readonly code?: string;
}

/** Puts messages on a FIFO queue. */
export interface Publisher {
  /** Up to 10 messages and 256 KiB together. Throws queue_unavailable when the whole call failed. */
  send(batch: readonly Outgoing[]): Promise<readonly NotTaken[]>;
}

/** A message in flight. */
export interface Received {
  readonly id: string;
  readonly receipt: string;
  readonly body: string;
  readonly group: string;
  /** ApproximateReceiveCount, this receive included. */
  readonly receives: number;
  /** SentTimestamp, ms since the epoch on SQS's clock. */
  readonly sentAt: number;
  /** Its own attributes, where they were asked for and there are any; "" for one that is no text. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** The worker's end of the queue. Everything throws queue_unavailable. */
export interface Inbox {
  /**
   * Waits for at least one of `max` messages, 5 s unless told. Never aborted: an aborted poll eats the next message.
   */
  receive(max: number, waitSeconds?: number): Promise<Received[]>;
  acknowledge(messages: readonly Received[]): Promise<void>;
  /** Hides the messages for `seconds` from now; 0 gives them back at once. */
  hide(messages: readonly Received[], seconds: number): Promise<void>;
  /** Hides one message for `seconds` from now, as {@link hide}, but throws when it is not in flight for us any more. */
  extend(message: Received, seconds: number): Promise<void>;
  /** How many messages are visible, and SQS's clock (ms since the epoch, whole seconds). */
  depth(): Promise<{ readonly visible: number; readonly date: number }>;
}
