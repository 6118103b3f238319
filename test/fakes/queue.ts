import type { Clock } from '../../src/clock.ts';
import { ReplicationError } from '../../src/errors.ts';
import {
  BATCH,
  type Inbox,
  type NotTaken,
  type Outgoing,
  type Publisher,
  type Received,
} from '../../src/queue/ports.ts';

/** A send within this time of the first one with its id is taken and dropped, whether or not that message is gone. In ms. */
const DEDUPLICATION_WINDOW = 5 * 60_000;
/** No visibility timeout may reach further than this from the receive, in ms. */
const LONGEST_FLIGHT = 12 * 3_600_000;
/** Bodies and attributes of one batch together, in bytes. */
const MAX_BATCH_BYTES = 256 * 1024;
/** A long poll, in seconds. */
const WAIT_SECONDS = 5;
/** MessageGroupId and MessageDeduplicationId: 1 to 128 letters, digits and punctuation. */
const ID = /^[!-~]{1,128}$/;
/** What XML 1.0 has as characters, which is what SQS takes. */
const TEXT = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u;

export type Operation = 'send' | 'receive' | 'acknowledge' | 'hide' | 'extend' | 'depth';

/** Failures on demand; set and cleared by whoever tests. */
export interface Faults {
  /** True: the whole call fails. */
  call?: ((operation: Operation) => boolean) | undefined;
  /** An entry that is answered is not taken, for good or not. */
  entry?: ((message: Outgoing) => Omit<NotTaken, 'index'> | undefined) | undefined;
}

export interface Stored extends Outgoing {
  readonly id: string;
  readonly sentAt: number;
  readonly receives: number;
  /** When it becomes visible again, ms since the epoch. */
  readonly hiddenUntil: number;
}

/** A FIFO queue in memory that keeps SQS's rules, with DeduplicationScope messageGroup, on the clock it is given. */
export interface FakeQueue {
  readonly publisher: Publisher;
  readonly inbox: Inbox;
  readonly faults: Faults;
  /** What was not deleted yet, in the order of sending. */
  stored(): readonly Stored[];
  readonly size: number;
  /** Ends the flight of every message: visibility timeouts lapse early, as heartbeats that came late let them. */
  lapse(): void;
  /** A letter or message is taken out by hand. */
  remove(id: string): void;
  /** Every message that was put on the queue, deleted or not, in order; duplicates left out. */
  readonly sent: readonly Outgoing[];
}

type Live = { -readonly [Key in keyof Stored]: Stored[Key] } & { receipt: string; receivedAt: number };

/** Where SQS itself moves what was received too often. */
export interface RedrivePolicy {
  readonly maxReceives: number;
  readonly move: (message: Stored) => void;
}

/** @param visibility seconds that a received message is hidden for */
export function createFakeQueue(clock: Clock, visibility = 30, redrive?: RedrivePolicy): FakeQueue {
  const faults: Faults = {};
  const sent: Outgoing[] = [];
  const firstSent = new Map<string, number>();
  const live: Live[] = [];
  const arrivals = new Set<() => void>();
  let ids = 0;
  const nextId = (kind: string) => {
    ids += 1;
    return `${kind}-${String(ids).padStart(6, '0')}`;
  };

  const called = async (operation: Operation) => {
    await undefined; // an answer never comes before the caller goes on
    if (faults.call?.(operation)) throw new ReplicationError('queue_unavailable', `SQS failed ${operation} on demand`);
  };
  const inFlight = ({ hiddenUntil }: Live) => hiddenUntil > clock.now();
  const wake = () => {
    for (const arrived of arrivals) arrived();
  };
  const put = (message: Outgoing) => {
    const key = JSON.stringify([message.group, message.deduplicationId]);
    const first = firstSent.get(key);
    if (first !== undefined && clock.now() - first < DEDUPLICATION_WINDOW) return;
    firstSent.set(key, clock.now());
    sent.push(message);
    const flight = { receives: 0, hiddenUntil: 0, receipt: '', receivedAt: 0 };
    live.push({ ...message, id: nextId('message'), sentAt: clock.now(), ...flight });
  };
  const moveSpent = ({ maxReceives, move }: RedrivePolicy) => {
    for (const message of live.filter((one) => one.receives >= maxReceives && !inFlight(one))) {
      live.splice(live.indexOf(message), 1);
      move(message);
    }
  };
  /** A group is closed as long as one of its messages is in flight; what is handed out together is in order. */
  const take = (max: number): Received[] => {
    if (redrive !== undefined) moveSpent(redrive);
    const closed = new Set(live.filter(inFlight).map(({ group }) => group));
    const open = live.filter(({ group }) => !closed.has(group)).slice(0, Math.min(max, BATCH));
    return open.map((message) => {
      message.receives += 1;
      message.receipt = nextId('receipt');
      message.receivedAt = clock.now();
      message.hiddenUntil = clock.now() + visibility * 1000;
      const { id, receipt, body, group, receives, sentAt } = message;
      return { id, receipt, body, group, receives, sentAt };
    });
  };
  /** The messages whose receipts still hold: neither received again since, nor visible again. */
  const held = (messages: readonly Received[]) =>
    messages.flatMap(({ receipt }) => live.filter((message) => message.receipt === receipt && inFlight(message)));

  const publisher: Publisher = {
    async send(batch) {
      await called('send');
      if (batch.length === 0 || batch.length > BATCH) throw refused(`a batch of ${batch.length} entries`);
      const bytes = batch.reduce((total, message) => total + sizeOf(message), 0);
      if (bytes > MAX_BATCH_BYTES) throw refused(`a batch of ${bytes} bytes`);
      const notTaken: NotTaken[] = [];
      for (const [index, message] of batch.entries()) {
        const fault = isValid(message) ? faults.entry?.(message) : { forGood: true };
        if (fault === undefined) put(message);
        else notTaken.push({ index, ...fault });
      }
      wake();
      return notTaken;
    },
  };
  const inbox: Inbox = {
    async receive(max, waitSeconds = WAIT_SECONDS) {
      const end = clock.now() + waitSeconds * 1000;
      for (;;) {
        await called('receive');
        const messages = take(max);
        if (messages.length > 0 || clock.now() >= end) return messages;
        await arrival(end);
      }
    },
    async acknowledge(messages) {
      await called('acknowledge');
      for (const message of held(messages)) live.splice(live.indexOf(message), 1);
      wake();
    },
    async hide(messages, seconds) {
      await called('hide');
      for (const message of held(messages)) {
        const until = clock.now() + seconds * 1000;
        if (until - message.receivedAt <= LONGEST_FLIGHT) message.hiddenUntil = until;
      }
      wake();
    },
    async extend(message, seconds) {
      await called('extend');
      const [own] = held([message]);
      const until = clock.now() + seconds * 1000;
      if (own === undefined || until - own.receivedAt > LONGEST_FLIGHT) throw refused('a receipt that no longer holds');
      own.hiddenUntil = until;
      wake();
    },
    async depth() {
      await called('depth');
      return { visible: live.filter((message) => !inFlight(message)).length, date: wholeSeconds(clock.now()) };
    },
  };
  /** Something may have become receivable: a message came, a group opened, or a visibility timeout passed. */
  const arrival = async (end: number) => {
    const next = Math.min(end, ...live.filter(inFlight).map(({ hiddenUntil }) => hiddenUntil));
    const over = new AbortController();
    const arrived = () => over.abort();
    arrivals.add(arrived);
    await clock.sleep(next - clock.now(), over.signal);
    arrivals.delete(arrived);
  };
  const lapse = () => {
    for (const message of live) message.hiddenUntil = Math.min(message.hiddenUntil, clock.now());
    wake();
  };
  const remove = (id: string) => {
    const index = live.findIndex((message) => message.id === id);
    if (index >= 0) live.splice(index, 1);
  };
  return {
    publisher,
    inbox,
    faults,
    sent,
    lapse,
    remove,
    stored: () => live.map((message) => ({ ...message })),
    get size() {
      return live.length;
    },
  };
}

const wholeSeconds = (time: number): number => Math.floor(time / 1000) * 1000;

const refused = (why: string) => new ReplicationError('queue_unavailable', `SQS refuses ${why}`);

const attributesOf = ({ attributes = {} }: Outgoing) => Object.entries(attributes);

const sizeOf = (message: Outgoing): number =>
  [message.body, ...attributesOf(message).flatMap(([name, value]) => [name, 'String', value])].reduce(
    (total, text) => total + Buffer.byteLength(text),
    0,
  );

const isValid = (message: Outgoing): boolean =>
  [message.group, message.deduplicationId].every((id) => ID.test(id)) &&
  [message.body, ...attributesOf(message).map(([, value]) => value)].every((text) => TEXT.test(text)) &&
  attributesOf(message).length <= 10;
