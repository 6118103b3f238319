import type { Clock } from '../clock.ts';
import { type ReplicationError, toReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Look } from '../replicate/decide.ts';
import { currentId, type Destination, type Errand } from '../replicate/destination.ts';
import { createErrand, type OwnErrand } from '../replicate/errand.ts';
import type { Order } from '../replicate/look-at.ts';
import { formatRef } from '../replicate/ref.ts';
import type { Source } from '../replicate/source.ts';
import { standing } from '../replicate/standing.ts';
import { TAG_ABSENT } from '../replicate/tags.ts';
import type { DeletionSettings, Due } from './deletion.ts';
import { hasReplicas, STAYS } from './guard.ts';

/** One destination, as a deletion needs it. */
export interface DeletingEnd {
  /** Both ends anew. */
  readonly look: (order: Order) => Promise<Look>;
  readonly destination: Pick<Destination, 'scheduleDeletion' | 'restore'>;
  readonly source: Pick<Source, 'read'>;
}

export interface DeleteOptions {
  readonly end: DeletingEnd;
  readonly settings: DeletionSettings;
  /** Keeps the sweep's request with this process for another minute; throws when it is not its own any more. */
  readonly extend: () => Promise<void>;
  /** Puts the copy on the queue: a worker restores it where its secret is there. Throws when SQS does not take it. */
  readonly lookAgain: (due: Due) => Promise<void>;
  /** An outage has ended the deletions: what comes after is left. */
  readonly onBrokenOff: (error: ReplicationError) => void;
  /** Its deletion has gone out, and has taken effect or may have. */
  readonly onSent: (due: Due) => void;
  readonly onWritten: (due: Due, outcome: 'deleted' | 'restored') => void;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/**
 * Schedules the copies' deletion, one after the other, each after a look of its own at both ends. What is not as it was
 * when it fell due is left alone. Throws when the request can no longer be kept: somebody else may be sweeping.
 */
export async function deleteCopies(options: DeleteOptions, due: readonly Due[], signal: AbortSignal): Promise<number> {
  let deleted = 0;
  for (const one of due) {
    signal.throwIfAborted();
    try {
      if (await deleteCopy(options, one)) deleted += 1;
    } catch (error) {
      if (error instanceof MustEnd) throw error.cause;
      const failure = toReplicationError(error);
      const { code, message } = failure;
      options.log.warn({ event: 'secret.not_deleted', ...about(one), code, text: message });
      if (failure.treatment !== 'pausing') continue;
      options.onBrokenOff(failure);
      break; // the next sweep goes on
    }
  }
  return deleted;
}

/** The sweep cannot go on: its request is not ours any more, or SQS does not take what must be looked at again. */
class MustEnd extends Error {
  override name = 'MustEnd';
}

const about = ({ ref, target }: Due) => ({ ref: formatRef(ref), destination: target.destination });

/** True when its deletion is scheduled. A look that grew too old in the line is made anew, and has its turn then. */
async function deleteCopy(options: DeleteOptions, due: Due): Promise<boolean> {
  const errand = createErrand(options.clock, due.ref);
  try {
    return await attempt(options, due, errand).catch((error: unknown) => {
      if (errand.lostTo() === 'wait') return attempt(options, due, errand);
      throw error;
    });
  } finally {
    errand.end(false);
  }
}

async function attempt(options: DeleteOptions, due: Due, errand: OwnErrand): Promise<boolean> {
  const { end, settings, extend, log } = options;
  const { ref, target } = due;
  errand.look();
  const look = await end.look({ ref, route: target.route, secretName: target.secretName, hint: undefined });
  const why = reasonAgainst(look, due, settings);
  if (why !== undefined) {
    log.info({ event: 'secret.not_deleted', ...about(due), text: why });
    return false;
  }
  const arn = look.destination?.arn ?? '';
  let sent = false;
  const last: Errand = {
    async turn(limiter, need) {
      await errand.turn(limiter, need);
      try {
        await extend().catch(mustEnd);
        errand.stillFresh();
      } catch (error) {
        limiter.giveBack(1);
        throw error;
      }
      sent = true;
    },
  };
  const unclear = await end.destination.scheduleDeletion(arn, settings.recoveryDays, last).then(
    () => undefined,
    (error: unknown) => (sent && mayHaveTakenEffect(error) ? error : Promise.reject(error)),
  );
  return afterwards(options, due, arn, unclear);
}

const mustEnd = (cause: unknown): never => {
  throw new MustEnd('the sweep must end', { cause });
};

const mayHaveTakenEffect = (error: unknown): boolean => {
  const { code } = toReplicationError(error);
  return code === 'destination_unavailable' || code === 'internal';
};

/**
 * Somebody may have written the secret between the look and the deletion, and have been done with it by then: it is read
 * once more, and restored if it is back. What cannot be told for certain is put on the queue, where a worker ends it.
 */
async function afterwards(options: DeleteOptions, due: Due, arn: string, unclear: unknown): Promise<boolean> {
  const { end, lookAgain, onSent, onWritten, clock, log } = options;
  const errand = createErrand(clock, due.ref);
  onSent(due);
  if (unclear === undefined) onWritten(due, 'deleted');
  try {
    if (unclear !== undefined) throw unclear;
    errand.look();
    const source = await end.source.read(due.ref);
    if (source.kind === 'absent') return true;
    await end.destination.restore(arn, errand);
    onWritten(due, 'restored');
    return false;
  } catch (error) {
    const { code, message } = toReplicationError(error);
    log.warn({ event: 'secret.deletion_unconfirmed', ...about(due), code, text: message });
    await lookAgain(due).catch(mustEnd);
    return unclear === undefined;
  } finally {
    errand.end(false);
  }
}

/** Why the copy must stay, if it must. */
function reasonAgainst(look: Look, due: Due, { replicas }: DeletionSettings): string | undefined {
  const { destination } = look;
  if (destination === undefined || standing(look).state !== 'absent_marked') return 'it is no longer as it was';
  const same = destination.tags[TAG_ABSENT] === due.mark && (currentId(destination) ?? '-') === due.versionId;
  if (!same) return 'its mark or its version is another by now';
  return hasReplicas(destination) && !replicas ? STAYS : undefined;
}
