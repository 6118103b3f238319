import { ReplicationError, toReplicationError } from '../errors.ts';
import type { Destination, DestinationState } from '../replicate/destination.ts';
import type { OwnershipChange } from '../replicate/ownership.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Tags } from '../replicate/tags.ts';
import type { Meter } from './meter.ts';
import { count, printable, printableJson } from './table.ts';
import { UsageError } from './usage-error.ts';

/** A destination, as far as its secrets change hands. */
export interface Place extends Pick<Destination, 'describe' | 'retag'> {
  /** The copies of this vault. */
  readonly copies: () => AsyncIterable<{ readonly name: string; readonly tags: Tags; readonly description: string }>;
  readonly versionTag: boolean;
}

export interface OwnershipCommand {
  /** As people write them; none with `all`. */
  readonly refs: readonly string[];
  readonly all: boolean;
  /** Answers the question of `all` beforehand. */
  readonly yes: boolean;
  readonly routes: Routes;
  /** By the destination's name. */
  readonly places: ReadonlyMap<string, Place>;
  readonly ask: (question: string) => Promise<boolean>;
  /** How far the looks are, and then the changes. */
  readonly looking: Meter;
  readonly changing: Meter;
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** A secret of Secrets Manager that a command was asked about. */
export interface Subject {
  readonly ref: string;
  readonly destination: string;
  readonly secretName: string;
}

export interface Planned extends Subject {
  readonly change: OwnershipChange;
}

/** What each command does and says. */
export interface Handover {
  readonly verb: 'Adopt' | 'Release';
  readonly done: 'adopted' | 'released';
  /** Whether a look after the change shows that it has taken effect. */
  readonly took: (subject: Subject, state: DestinationState) => boolean;
}

/** Throws a UsageError where it is not said of which secrets, or where nobody can be asked. */
export function checkOwnershipLine(
  command: 'adopt' | 'release',
  { operands, all, yes }: { readonly operands: readonly string[]; readonly all: boolean; readonly yes: boolean },
  asks: boolean,
): void {
  if (operands.length > 0 === all) throw new UsageError(`${command} takes REFs, or --all: one of these`);
  if (!all || yes || asks) return;
  throw new UsageError(`${command} --all asks before it acts, and here is no terminal to ask on: add --yes`);
}

/** What is planned, or why nothing can be said of the secret. */
export async function plan(subject: Subject, change: () => Promise<OwnershipChange>): Promise<Planned> {
  try {
    return { ...subject, change: await change() };
  } catch (error) {
    const { code, message } = toReplicationError(error);
    return { ...subject, change: { kind: 'refuse', code, text: message } };
  }
}

/**
 * Asks where all were meant, changes the tags one secret after the other, and reports. Returns the exit code: 0, or 1
 * if any was refused, or `problems` says that not all could be told, or the answer was no.
 */
export async function carryOut(
  command: OwnershipCommand,
  handover: Handover,
  planned: readonly Planned[],
  problems: string[],
): Promise<number> {
  const done: Subject[] = [];
  const unchanged: Subject[] = [];
  const refused: (Subject & { readonly code: string; readonly why: string })[] = [];
  const { places, changing } = command;
  if (await confirmed(command, handover, planned)) {
    changing.listed(planned.length);
    for (const { change, ...subject } of planned) {
      const outcome = await handOver(places.get(subject.destination), handover, subject, change);
      if (outcome instanceof ReplicationError) refused.push({ ...subject, code: outcome.code, why: outcome.message });
      else (outcome === 'done' ? done : unchanged).push(subject);
      changing.compared();
    }
    changing.end();
  } else problems.push('nothing was changed, since it was not confirmed');
  report(command, handover, { done, unchanged, refused, problems });
  return refused.length > 0 || problems.length > 0 ? 1 : 0;
}

async function confirmed(
  { all, yes, ask, writeError }: OwnershipCommand,
  { verb }: Handover,
  planned: readonly Planned[],
): Promise<boolean> {
  const changing = planned.filter(({ change }) => change.kind === 'change');
  if (!all || yes || changing.length === 0) return true;
  for (const subject of changing) writeError(line('', subject));
  return ask(`${verb} ${count(changing.length, 'secret')}?`);
}

/** The ARN that was looked at is tagged, so that a secret re-created under the name since is not hit. */
async function handOver(place: Place | undefined, { took }: Handover, subject: Subject, change: OwnershipChange) {
  if (change.kind === 'keep') return 'kept' as const;
  if (change.kind === 'refuse') return new ReplicationError(change.code, change.text);
  try {
    await place?.retag(change.arn, change.tags, { turn: (limiter) => limiter.turn() });
    const state = await place?.describe(subject.secretName);
    if (state?.arn === change.arn && took(subject, state)) return 'done' as const;
    return new ReplicationError(
      'promotion_conflict',
      `somebody else changed ${subject.secretName} meanwhile: try again`,
    );
  } catch (error) {
    return toReplicationError(error);
  }
}

interface Outcome {
  readonly done: readonly Subject[];
  readonly unchanged: readonly Subject[];
  readonly refused: readonly (Subject & { readonly code: string; readonly why: string })[];
  readonly problems: readonly string[];
}

function report({ json, write, writeError }: OwnershipCommand, handover: Handover, outcome: Outcome): void {
  const { done, unchanged, refused, problems } = outcome;
  if (json) write(`${printableJson({ [handover.done]: done, unchanged, refused, problems })}\n`);
  else {
    for (const subject of done) write(line(`${handover.done} `, subject));
    for (const subject of unchanged) write(line(`already ${handover.done} `, subject));
  }
  for (const { ref, destination, code, why } of refused) {
    writeError(`${printable(`${ref} at ${destination}: ${why}`)} (${code})\n`);
  }
  for (const problem of problems) writeError(`${printable(problem)}\n`);
}

const line = (what: string, { ref, destination, secretName }: Subject) =>
  `${what}${printable(ref)} -> ${destination}: ${secretName}\n`;
