import type { KeyDiff } from '../replicate/key-diff.ts';
import { formatRef } from '../replicate/ref.ts';
import type { Due } from '../sweep/deletion.ts';
import type { Finding, Kind } from '../sweep/drift.ts';

/** What a sweep and its workers do about each kind, before the deletions are decided. */
const ACTIONS = {
  in_sync: 'in_sync',
  absent: 'in_sync',
  absent_marked: 'in_sync',
  absent_scheduled: 'in_sync',
  released: 'released',
  missing: 'create',
  stale: 'update',
  no_value: 'update',
  not_promoted: 'update',
  edited_by_hand: 'update',
  scheduled_for_deletion: 'restore',
  not_marked: 'mark',
  wrongly_marked: 'unmark',
  tags_differ: 'retag',
  conflict: 'adopt',
  refused: 'refuse',
  source_behind: 'wait',
  orphan: 'orphan',
  unknown: 'unknown',
} as const satisfies Readonly<Record<Kind, string>>;

/** `differs`: the right version has another value; `conflict`: not even adopt can end it; `stay`: due, with replicas. */
export type Action = (typeof ACTIONS)[Kind] | 'conflict' | 'delete' | 'held' | 'stay' | 'differs';

/** What the two values have shown, if they were read. */
export type Comparison =
  | { readonly kind: 'equal' }
  /** `keys` is undefined where one of the two is no object. */
  | { readonly kind: 'different'; readonly keys: KeyDiff | undefined }
  | { readonly kind: 'not_compared'; readonly why: string };

/** A finding after all that was asked about it. */
export interface Judged {
  readonly finding: Finding;
  readonly comparison?: Comparison;
  /** Why a look at both ends failed. */
  readonly failure?: { readonly code: string; readonly why: string };
}

/** One copy, or one secret that should have one, as it is told. Never a value. */
export interface PlanRow {
  /** "" where a copy's tags name no secret of a routed mount. */
  readonly ref: string;
  readonly destination: string;
  readonly secretName: string;
  readonly action: Action;
  readonly state: Kind;
  readonly vaultVersion?: number;
  readonly replicatedVersion?: number;
  /** Since when the ends differ, ms since the epoch. */
  readonly since?: number;
  readonly code?: string;
  readonly why?: string;
  readonly keys?: KeyDiff;
  readonly notCompared?: string;
  readonly deletion?: { readonly versionId: string; readonly absentSince: string };
}

export function rowOf({ finding, comparison, failure }: Judged): PlanRow {
  const { ref, destination, secretName, kind, since, standing } = finding;
  const action = actionOf(finding, comparison);
  const why = action === 'differs' ? OTHER_VALUE : standing?.why;
  return {
    ...{ ref: ref.mount === '' ? '' : formatRef(ref), destination, secretName, action, state: kind },
    ...(standing?.vaultVersion !== undefined && { vaultVersion: standing.vaultVersion }),
    ...(standing?.replicatedVersion !== undefined && { replicatedVersion: standing.replicatedVersion }),
    ...(since !== undefined && { since }),
    ...(standing?.code !== undefined && { code: standing.code }),
    ...(why !== undefined && { why }),
    ...failure,
    ...(comparison !== undefined && compared(comparison)),
  };
}

function compared(comparison: Comparison): Pick<PlanRow, 'keys' | 'notCompared'> {
  if (comparison.kind === 'equal') return {};
  if (comparison.kind === 'not_compared') return { notCompared: comparison.why };
  return comparison.keys === undefined ? { notCompared: NO_OBJECT } : { keys: comparison.keys };
}

const OTHER_VALUE =
  'the version at AWSCURRENT is the right one, but its value is not: write the secret in Vault once more, since a new version has a new id';
const NO_OBJECT = 'one of the two values is no JSON object, so that there are no keys to compare';

/** The versions are equal in these, so that no look would write a value. */
const SAME_VERSION: readonly Kind[] = ['in_sync', 'tags_differ', 'wrongly_marked'];

/** The copy is to get another version. */
export const isUpdate = (kind: Kind): boolean => ACTIONS[kind] === 'update';

export const isOfSameVersion = (kind: Kind): boolean => SAME_VERSION.includes(kind);

function actionOf({ kind, copy }: Finding, comparison: Comparison | undefined): Action {
  if (isOfSameVersion(kind) && comparison?.kind === 'different') return 'differs';
  const adoptable = copy?.rotationEnabled !== true && copy?.owningService === undefined && !copy?.scheduledForDeletion;
  return kind === 'conflict' && !adoptable ? 'conflict' : ACTIONS[kind];
}

/** A copy whose deletion is due, with its row but for what is decided of it. */
export interface DueRow extends Due {
  readonly row: PlanRow;
}

export const dueRow = ({ row, versionId, mark }: DueRow, action: 'delete' | 'held' | 'stay'): PlanRow => ({
  ...row,
  action,
  deletion: { versionId, absentSince: mark.slice(0, mark.indexOf(' ')) },
});

/** Whether there is something to tell of it: it is not as it should be, or it should have been compared and was not. */
export const isOpen = ({ action, code, notCompared }: PlanRow): boolean =>
  action === 'unknown' ? code !== undefined : !SETTLED.includes(action) || notCompared !== undefined;

const SETTLED: readonly Action[] = ['in_sync', 'released'];
