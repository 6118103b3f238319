import { type ReplicationError, toReplicationError } from '../errors.ts';
import type { Look } from '../replicate/decide.ts';
import { currentId, type Destination } from '../replicate/destination.ts';
import { keyDiff } from '../replicate/key-diff.ts';
import { standing } from '../replicate/standing.ts';
import type { Finding } from '../sweep/drift.ts';
import { type LookingEnd, lookAtTarget } from './look-at-target.ts';
import { type Comparison, isOfSameVersion, isUpdate, type Judged } from './plan-rows.ts';

/**
 * How deep it is looked: at what both listings say; at both ends, of what is to be updated or what listings do not tell,
 * values included; or at every value.
 */
export type Depth = 'listings' | 'differences' | 'values';

export interface JudgingEnd extends LookingEnd {
  readonly value: Destination['value'];
}

/** Looks again at what a listing cannot tell all about, as deep as is wished. */
export async function judge(end: JudgingEnd | undefined, finding: Finding, depth: Depth): Promise<Judged> {
  const { ref, target } = finding;
  if (end === undefined || target === undefined || !wantsLook(finding, depth)) return { finding };
  try {
    const look = await lookAtTarget(end, ref, target);
    const seen = seenAs(finding, look);
    const comparison = wantsValues(seen, look, depth) ? await compareValues(end, look) : undefined;
    return { finding: seen, ...(comparison !== undefined && { comparison }) };
  } catch (error) {
    return notSeen(finding, toReplicationError(error));
  }
}

function wantsLook({ kind }: Finding, depth: Depth): boolean {
  if (depth === 'listings') return false;
  return kind === 'unknown' || isUpdate(kind) || (depth === 'values' && isOfSameVersion(kind));
}

/** The finding as a look at both ends has it; a listing lags. */
function seenAs({ since, ...finding }: Finding, look: Look): Finding {
  const stands = standing(look);
  return {
    ...finding,
    ...{ kind: stands.state, standing: stands },
    ...(since !== undefined && !stands.inSync && { since }),
    ...(look.destination !== undefined && { copy: look.destination }),
  };
}

/** Of KV v1 a look itself compares the values: in sync says that they are equal. */
function wantsValues({ kind }: Finding, { source }: Look, depth: Depth): boolean {
  return isUpdate(kind) || (depth === 'values' && isOfSameVersion(kind) && source.mount.kv === 2);
}

async function compareValues(end: JudgingEnd, { source, destination, currentValue }: Look): Promise<Comparison> {
  const id = destination && currentId(destination);
  if (source.kind !== 'present' || destination === undefined || id === undefined) return notCompared(NO_VALUE);
  try {
    const copy = currentValue ?? (await end.value(destination.arn, id));
    if (copy === undefined) return notCompared(BYTES);
    const [there, here] = [source.value.reveal(), copy.reveal()];
    return there === here ? { kind: 'equal' } : { kind: 'different', keys: keyDiff(there, here) };
  } catch (error) {
    return notCompared(reasonOf(toReplicationError(error)));
  }
}

const notCompared = (why: string): Comparison => ({ kind: 'not_compared', why });

const NO_VALUE = 'the copy has no value';
const BYTES = 'the copy holds bytes, no text';

const reasonOf = ({ code, message }: ReplicationError): string =>
  code === 'destination_forbidden'
    ? 'needs secretsmanager:GetSecretValue, and kms:Decrypt where the key is your own'
    : `${message} (${code})`;

/** What a look could not tell: why, or that there can be no such copy. */
function notSeen(finding: Finding, error: ReplicationError): Judged {
  const { code, message: why } = error;
  if (code === 'name_invalid') {
    const state = 'refused';
    return { finding: { ...finding, kind: state, standing: { state, inSync: false, code, why } } };
  }
  if (finding.kind === 'unknown') return { finding, failure: { code, why } };
  return { finding, comparison: notCompared(`${why} (${code})`) };
}
