import type { Clock } from '../clock.ts';
import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ChangeMessage } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';
import { formatRef } from '../replicate/ref.ts';
import type { Read, WorkerMetrics } from './look.ts';
import { letter } from './park.ts';
import type { Settlement } from './settlement.ts';
import type { Tries } from './tries.ts';
import { unparked, verdict } from './verdict.ts';

export interface FateOptions {
  readonly deadLetters: Publisher;
  readonly maxReceives: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly tries: Tries;
}

/** The message is undefined where its body could not be read. */
type Failed = readonly Read<ChangeMessage | undefined>[];

export const about = (message: ChangeMessage) => ({ ref: formatRef(message), destination: message.destination });

/**
 * What becomes of messages whose one look failed. Permanent: the newest that is not a sweep's is parked and stands for
 * all; a sweep's finding is refused without a letter, since the next sweep finds it again.
 */
export async function fateOf(
  options: FateOptions,
  messages: Failed,
  error: ReplicationError,
  widespread = false,
): Promise<Settlement> {
  const { clock, log, maxReceives, metrics, tries } = options;
  const all = messages.map(({ received }) => received);
  const receives = Math.min(...all.map((received) => received.receives));
  const age = clock.now() - Math.min(...all.map(({ sentAt }) => sentAt));
  const failed = { receives, tries: tries.another(all), age, widespread };
  const fate = verdict(error, failed, maxReceives, Math.random());
  metrics.failed(error.code);
  const fields = { ...fieldsOf(messages[0]?.message), code: error.code, text: error.message };
  if (fate.kind !== 'park') {
    if (messages[0]?.message !== undefined) metrics.replicated(messages[0].message.destination, 'held');
    log[error.treatment === 'hold' ? 'info' : 'warn']({ event: 'secret.held', ...fields, seconds: fate.seconds });
    const held = { messages: all, seconds: fate.seconds };
    return fate.kind === 'wait' ? { acknowledge: [], hide: [], wait: [held] } : { acknowledge: [], hide: [held] };
  }
  try {
    await park(options, messages, error);
    return { acknowledge: all, hide: [] };
  } catch (failure) {
    const seconds = unparked(receives, Math.random());
    log.warn({ event: 'secret.held', ...fields, seconds, err: failure });
    return { acknowledge: [], hide: [{ messages: all, seconds }] };
  }
}

const fieldsOf = (message: ChangeMessage | undefined) => (message === undefined ? {} : about(message));

/** Throws queue_unavailable when SQS does not take the letter: the messages must stay. */
async function park({ clock, deadLetters, log, metrics }: FateOptions, messages: Failed, error: ReplicationError) {
  const withLetter = error.code === 'released' ? [] : messages; // an operator has let it go: there is nothing to mend
  const parked = withLetter.filter(({ message }) => message?.origin !== 'sweep').at(-1);
  const message = (parked ?? messages[0])?.message;
  const fields = { ...fieldsOf(message), code: error.code, text: error.message };
  if (parked === undefined) log.warn({ event: 'secret.refused', ...fields });
  else {
    const { received } = parked;
    const ref = message === undefined ? undefined : formatRef(message);
    const [refused] = await deadLetters.send([letter(received, error, ref, new Date(clock.now()).toISOString())]);
    if (refused !== undefined) throw new ReplicationError('queue_unavailable', 'SQS refused a letter to the DLQ');
    log.warn({ event: 'secret.parked', ...fields, receives: received.receives, id: received.id });
  }
  if (message === undefined) return;
  // An unrouted message may name any destination, and a label must not be of its choosing.
  const destination = error.code === 'unrouted' ? '' : message.destination;
  metrics.replicated(destination, parked === undefined ? 'refused' : 'parked');
}
