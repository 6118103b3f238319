import type { Clock } from '../clock.ts';
import type { Received } from '../queue/ports.ts';
import { type Letter, readLetter } from './letter.ts';
import { LETTER_VISIBILITY, type LetterCount, type LetterQueue } from './queue.ts';

/** Letters that could not be read, about. */
export interface Unread {
  /** In flight for another reader. */
  readonly heldByOthers: number;
  /** FIFO shows at most the first ten of a group, and those of one secret that SQS moved here are one group. */
  readonly waiting: number;
}

/** A letter that this program holds hidden from other readers, and its body as it came. */
export interface HeldLetter extends Letter {
  readonly body: string;
}

export interface Box {
  /** Oldest first. */
  readonly letters: readonly HeldLetter[];
  readonly unread: Unread;
  /** SQS's clock once all were read; ms since the epoch, whole seconds. */
  readonly date: number;
  remove(letter: Letter): Promise<void>;
}

export interface BoxOptions {
  readonly vault: string;
  readonly clock: Clock;
  /** Once it aborts, reading ends and openBox rejects with its reason; `use` is to heed it too. */
  readonly signal: AbortSignal;
  /** Told how many letters have been read so far. */
  readonly onRead?: (count: number) => void;
}

/**
 * Reads every letter that can be had, lets `use` see them, and gives back those that it did not remove, however it
 * ends. Meanwhile they are hidden from other readers; those of a program that was killed show again by themselves.
 */
export async function openBox<T>(
  queue: LetterQueue,
  options: BoxOptions,
  use: (box: Box) => T | Promise<T>,
): Promise<T> {
  const held = new Map<string, Received>();
  const done = new AbortController();
  const hidden = keepHidden(queue, held, options.clock, done.signal);
  try {
    await readAll(queue, held, options);
    const count = await queue.count();
    options.signal.throwIfAborted();
    return await use({
      letters: [...held.values()].map((received) => heldLetter(received, options.vault)).sort(bySent),
      unread: unreadOf(count, held.size),
      date: count.date,
      async remove({ id }) {
        const received = held.get(id);
        if (received !== undefined) await queue.remove(received);
        held.delete(id);
      },
    });
  } finally {
    done.abort();
    await hidden;
    // Where even this fails they show again within the visibility timeout, and the first error is the one to tell.
    await queue.hide([...held.values()], 0).catch(() => undefined);
  }
}

const heldLetter = (received: Received, vault: string): HeldLetter => ({
  ...readLetter(received, vault),
  body: received.body,
});

const bySent = (one: Letter, other: Letter): number => one.sentAt - other.sentAt;

/** Until the queue says that nothing is visible, or twice in a row brought nothing new; a poll is never aborted. */
async function readAll(queue: LetterQueue, held: Map<string, Received>, { signal, onRead }: BoxOptions): Promise<void> {
  for (let empty = 0; empty < 2 && !signal.aborted; ) {
    const before = held.size;
    for (const received of await queue.receive()) held.set(received.id, received);
    if (held.size > before) onRead?.(held.size);
    else if ((await queue.count()).visible === 0) return;
    empty = held.size > before ? 0 : empty + 1;
  }
}

const unreadOf = ({ visible, inFlight }: LetterCount, held: number): Unread => {
  const unread = Math.max(0, visible + inFlight - held);
  const heldByOthers = Math.min(unread, Math.max(0, inFlight - held));
  return { heldByOthers, waiting: unread - heldByOthers };
};

/** A beat that fails is made good by the next one; past both, the letters show to others, and nothing is lost. */
async function keepHidden(
  queue: LetterQueue,
  held: ReadonlyMap<string, Received>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep((LETTER_VISIBILITY / 3) * 1000, signal);
    if (signal.aborted) return;
    await queue.hide([...held.values()], LETTER_VISIBILITY).catch(() => undefined);
  }
}
