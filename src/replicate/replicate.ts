import type { Clock } from '../clock.ts';
import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CopyCount } from './copy-count.ts';
import { type Action, decide, isBehindCurrent, isBehindHint, type Look, type Promotion } from './decide.ts';
import type { Destination, Errand, NewSecret } from './destination.ts';
import { createErrand, type OwnErrand } from './errand.ts';
import { type LookPorts, lookAtBoth, type Order } from './look-at.ts';
import { checkName, looksLikePartialArn } from './name.ts';
import { oncePer } from './once-per.ts';
import { createVersionBudget, puttingInTurn } from './put-in-turn.ts';
import { formatRef } from './ref.ts';
import { newestVersion, type Present } from './source.ts';
import { createStaleRows } from './stale-rows.ts';
import { ownershipTags, sourceText } from './tags.ts';

/** Looks that may be lost to somebody else's promotion before the message waits. */
const MAX_LOOKS = 5;
/** What is too slow is asked again after so many seconds, which gives it some rest. */
const SLOW_AGAIN = 30;
/** Names that are remembered as warned about. */
const MAX_WARNED = 10_000;
/** Description's limit, in characters (CreateSecret, API reference). */
const MAX_DESCRIPTION = 2048;

export type Outcome =
  | 'created'
  | 'updated'
  | 'promoted'
  | 'restored'
  | 'marked_absent'
  | 'unmarked'
  | 'retagged'
  | 'unchanged';

export interface Replicated {
  /** The last thing that was written, or `unchanged`. */
  readonly outcome: Outcome;
  /** Vault has not yet answered with the version that the event told of: the message is not done. */
  readonly behindHint: boolean;
  /** An older version was written on purpose, since Vault has answered nothing else for two minutes. */
  readonly wentBack: boolean;
}

/** Told at once of each write that took effect; `version` is Vault's number, absent where Vault has none. */
export type OnWritten = (outcome: Outcome, version: number | undefined) => void;

export interface ReplicatorPorts extends Omit<LookPorts, 'destination' | 'clock'> {
  readonly destination: Destination;
  readonly clock: Clock;
  /** Whether one more copy may be created; without it, any number may. */
  readonly copies?: Pick<CopyCount, 'max' | 'take' | 'giveBack'>;
  readonly log?: Pick<Log, 'warn'>;
}

/**
 * Looks at one secret at both ends, decides, applies. Throws a ReplicationError when it was refused or must wait.
 * Every loss to somebody else's hand starts it over from the look.
 */
export function createReplicator(ports: ReplicatorPorts): (order: Order, onWritten: OnWritten) => Promise<Replicated> {
  const destination = inTurn(ports);
  const staleRows = createStaleRows(ports.clock);

  const warnOfName = oncePer(MAX_WARNED, (secretName) =>
    ports.log?.warn({ event: 'secret.name_ambiguous', secretName, text: AMBIGUOUS }),
  );
  /** Behind AWSCURRENT no message's age counts: one that is written all the time would never be let go back. */
  const lookAt = async (order: Order): Promise<Look & { readonly hintLetGo: boolean }> => {
    const look = await lookAtBoth(ports, order);
    const hintLetGo = staleRows.believed(hintRow(look), order.sentAt);
    return {
      ...look,
      hintLetGo,
      acceptStale: isBehindCurrent(look) ? staleRows.believed(currentRow(look)) : hintLetGo,
    };
  };

  const once = async (order: Order, errand: OwnErrand, onWritten: OnWritten): Promise<Replicated | 'again'> => {
    errand.look();
    const look = await lookAt(order);
    staleRows.note(currentRow(look), isBehindCurrent(look));
    staleRows.note(hintRow(look), isBehindHint(look), order.sentAt);
    const version = look.source.kind === 'present' ? newestVersion(look.source)?.version : undefined;
    const action = await decideWithRoom(ports.copies, look, errand);
    const outcome = await apply(destination, action, look, errand, (written) => onWritten(written, version)).catch(
      (error: unknown) => {
        if (action.kind === 'create' && isPermanent(error)) ports.copies?.giveBack(look.secretName);
        throw error;
      },
    );
    if (outcome === 'restored') return 'again';
    // Acted upon: the next old answer is a new one. Behind a hint nothing was done, and the row goes on.
    if (isBehindCurrent(look) && look.acceptStale) staleRows.note(currentRow(look), false);
    return {
      outcome,
      behindHint: isBehindHint(look) && !look.hintLetGo,
      wentBack: isBehindCurrent(look) && look.acceptStale,
    };
  };

  return async (order, onWritten) => {
    checkName(order.secretName, order.ref);
    if (looksLikePartialArn(order.secretName)) warnOfName(order.secretName);
    const errand = createErrand(ports.clock, order.ref);
    try {
      const replicated = await untilDone(order, onWritten, (remember) => once(order, errand, remember));
      errand.end(false);
      return replicated;
    } catch (error) {
      errand.end(codeOf(error) === 'destination_throttled');
      throw isLost(error) ? lostFor(order, errand.lostTo(), error) : error;
    }
  };
}

/** Looks until one has its way; the outcome is that of the last one that wrote. */
async function untilDone(
  order: Order,
  onWritten: OnWritten,
  once: (remember: OnWritten) => Promise<Replicated | 'again'>,
): Promise<Replicated> {
  let last: Outcome = 'unchanged';
  const remember: OnWritten = (outcome, version) => {
    last = outcome;
    onWritten(outcome, version);
  };
  for (let looks = 1; ; looks += 1) {
    const result = await once(remember).catch((error: unknown) => {
      if (!isLost(error) || looks >= MAX_LOOKS) throw error;
      return 'again' as const;
    });
    if (result !== 'again') return { ...result, outcome: result.outcome === 'unchanged' ? last : result.outcome };
    if (looks >= MAX_LOOKS) throw restoredInVain(order);
  }
}

const codeOf = (error: unknown) => (error instanceof ReplicationError ? error.code : undefined);

const isLost = (error: unknown): boolean => codeOf(error) === 'promotion_conflict';

const inTurn = ({ destination, clock }: ReplicatorPorts): Destination =>
  puttingInTurn(destination, createVersionBudget(clock, destination.versionTimes));

const AMBIGUOUS =
  'the name ends in a hyphen and six characters, as ARNs do, and AWS may take it for a part of one: consider another path, or another "as" of the route';

/** A place among the destination's copies is taken only for a copy that would be created. Counting may take a while. */
async function decideWithRoom(copies: ReplicatorPorts['copies'], look: Look, errand: OwnErrand): Promise<Action> {
  const action = decide(look);
  if (action.kind !== 'create' || copies === undefined) return action;
  const room = await copies.take(look.secretName);
  errand.stillFresh();
  return room ? action : decide({ ...look, fullAt: copies.max });
}

const isPermanent = (error: unknown): boolean => error instanceof ReplicationError && error.treatment === 'permanent';

/** A hold where we kept ourselves waiting, or the ends are slow, which says nothing against the message. */
function lostFor({ ref, secretName }: Order, lostTo: ReturnType<OwnErrand['lostTo']>, error: unknown): unknown {
  const which = `${secretName}, the copy of ${formatRef(ref)}`;
  switch (lostTo) {
    case 'wait': {
      const text = `each time it was the turn of ${which}, what Vault had said of it was too old: it is looked at again`;
      return new ReplicationError('destination_throttled', text);
    }
    case 'age': {
      const text = `until ${which}, could be written, what Vault had said of it was too old: Vault, Secrets Manager or this process is slow; it is looked at again`;
      return new ReplicationError('source_stale', text, undefined, SLOW_AGAIN);
    }
    case undefined:
      return error;
  }
}

const restoredInVain = ({ ref, secretName }: Order) =>
  new ReplicationError(
    'promotion_conflict',
    `the secret ${secretName}, the copy of ${formatRef(ref)}, is scheduled for deletion again each time it is restored: end what deletes it`,
  );

/**
 * The rows in which an answer counts. Behind AWSCURRENT has one of its own: a hint may be made up, and must not lend its
 * two minutes to an answer that would move AWSCURRENT back.
 */
const currentRow = ({ secretName }: Look): string => `current ${secretName}`;
const hintRow = ({ secretName }: Look): string => `hint ${secretName}`;

async function apply(
  destination: Destination,
  action: Action,
  look: Look,
  errand: Errand,
  written: (outcome: Outcome) => void,
): Promise<Outcome> {
  const arn = look.destination?.arn ?? '';
  const done = (outcome: Outcome): Outcome => {
    written(outcome);
    return outcome;
  };
  switch (action.kind) {
    case 'create':
      await destination.create(newSecret(look, action.source, action.versionId), errand);
      return done('created');
    case 'put':
      await destination.put(arn, action.versionId, action.source.value, errand);
      return promote(destination, arn, action, errand, () => done('updated'));
    case 'promote':
      return promote(destination, arn, action, errand, () => done('promoted'));
    case 'restore':
      await destination.restore(arn, errand);
      return done('restored');
    case 'mark':
    case 'unmark':
    case 'retag':
      await destination.retag(arn, action.tags, errand);
      return done(TAGGED[action.kind]);
    case 'keep':
      return 'unchanged';
    case 'refuse':
    case 'hold':
      throw new ReplicationError(action.code, action.text);
  }
}

const TAGGED = { mark: 'marked_absent', unmark: 'unmarked', retag: 'retagged' } as const;

async function promote(
  destination: Destination,
  arn: string,
  { versionId, from, tags }: Promotion,
  errand: Errand,
  done: () => Outcome,
): Promise<Outcome> {
  await destination.promote(arn, versionId, from, errand);
  const outcome = done(); // told before the tags follow: the value is there, and its lag ends here
  await destination.retag(arn, tags, errand);
  return outcome;
}

const newSecret = ({ owner, secretName, tags }: Look, { value }: Present, versionId: string): NewSecret => ({
  name: secretName,
  description: sourceText(owner.ref).slice(0, MAX_DESCRIPTION),
  versionId,
  value,
  tags: { ...tags, ...ownershipTags(owner) },
});
