import type { Limiter, Need } from '../limiter.ts';
import type { Sensitive } from '../sensitive.ts';
import type { Tags } from './tags.ts';

/**
 * Our own staging label: a version carries it from its put until a later put takes it over.
 * AWSPENDING is AWS rotation's and not ours to move.
 */
export const STAGING_LABEL = 'VAULTFERRY';
export const CURRENT = 'AWSCURRENT';

/** What Secrets Manager says now. */
export interface DestinationState {
  /** Everything after the look goes by the ARN: a name may have been given to a new, foreign secret since. */
  readonly arn: string;
  readonly tags: Tags;
  /** Staging labels by version id; AWS does not list unlabelled versions. */
  readonly stages: ReadonlyMap<string, readonly string[]>;
  readonly scheduledForDeletion: boolean;
  readonly rotationEnabled: boolean;
  readonly owningService?: string;
  /** Regions with a replica; left out of listings, which do not tell. */
  readonly replicas?: readonly string[];
}

/** A copy as a listing of the destination shows it; what happened in the last 5 minutes may be missing. */
export interface ListedCopy extends DestinationState {
  readonly name: string;
  readonly description: string;
}

export interface NewSecret {
  readonly name: string;
  readonly description: string;
  readonly versionId: string;
  readonly value: Sensitive<string>;
  readonly tags: Tags;
}

/** Who sends a request, and when it may. */
export interface Errand {
  /**
   * Resolves right before a request is sent, and throws promotion_conflict when what was read from Vault is too old to
   * act upon by then: look again. A turn for several calls is one for the calls that follow, too.
   */
  turn(limiter: Limiter, need?: Need): Promise<void>;
}

/**
 * Where copies go. Every method but `describe` throws promotion_conflict when the secret is no longer as it was seen
 * (created, promoted, deleted or restored in between): look again, and decide anew.
 */
export interface Destination {
  describe(name: string): Promise<DestinationState | undefined>;
  /** A version's text; undefined where it holds bytes. Needs a permission of its own, so it is asked for KV v1 alone. */
  value(arn: string, versionId: string): Promise<Sensitive<string> | undefined>;
  create(secret: NewSecret, errand: Errand): Promise<void>;
  /** Puts a version under the staging label; AWSCURRENT stays where it is. */
  put(arn: string, versionId: string, value: Sensitive<string>, errand: Errand): Promise<void>;
  /** Moves AWSCURRENT to `versionId` if, and only if, it still stands at `from` (undefined: at no version). */
  promote(arn: string, versionId: string, from: string | undefined, errand: Errand): Promise<void>;
  restore(arn: string, errand: Errand): Promise<void>;
  /** With so many days (7 to 30) in which it can be undone. */
  scheduleDeletion(arn: string, recoveryDays: number, errand: Errand): Promise<void>;
  retag(arn: string, change: TagChange, errand: Errand): Promise<void>;
  /** When each version was created that is still there, those without a label too; in ms since the epoch. */
  versionTimes(arn: string): Promise<number[]>;
}

export interface TagChange {
  readonly set: Tags;
  readonly remove: readonly string[];
}

/** The version at AWSCURRENT. */
export function currentId({ stages }: DestinationState): string | undefined {
  for (const [id, labels] of stages) if (labels.includes(CURRENT)) return id;
  return undefined;
}
