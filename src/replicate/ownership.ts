import type { FailureCode } from '../errors.ts';
import type { Look } from './decide.ts';
import type { DestinationState, TagChange } from './destination.ts';
import { formatRef, type SecretRef } from './ref.ts';
import {
  foreignTags,
  missingTags,
  ownershipTags,
  sourceTag,
  TAG_ABSENT,
  TAG_KEEPS,
  TAG_RELEASED,
  TAG_SOURCE,
  TAG_VAULT,
  TAG_VERSION,
  type Tags,
} from './tags.ts';

/** What an operator's word does to the tags of one secret. Nothing else of it is touched. */
export type OwnershipChange =
  | { readonly kind: 'change'; readonly arn: string; readonly tags: TagChange }
  /** It is so already. */
  | { readonly kind: 'keep'; readonly arn: string }
  | { readonly kind: 'refuse'; readonly code: FailureCode; readonly text: string };

/**
 * How a secret becomes the copy of the look's ref: it gets our tags, whoever owned it before, and what was said of it
 * under its former owner goes. A `version` tag that no VaultFerry wrote is kept as it is.
 */
export function adoption({ source, destination, owner, secretName }: Look): OwnershipChange {
  if (destination === undefined) {
    return refuse('not_owned', `there is no secret ${secretName} to adopt: vaultferry replicate creates it`);
  }
  const { arn, tags } = destination;
  const hindrance = hindranceOf(destination, secretName);
  if (hindrance !== undefined) return hindrance;
  if (foreignTags(tags, owner).length === 0 && !(TAG_RELEASED in tags)) return { kind: 'keep', arn };
  const related = tags[TAG_SOURCE] === sourceTag(owner.ref) || TAG_RELEASED in tags;
  if (source.kind === 'absent' && !related) {
    const text = `Vault has no ${formatRef(owner.ref)}, so that ${secretName} would be marked as a copy whose secret is gone: write it in Vault first`;
    return refuse('not_owned', text);
  }
  const keeps: Tags = TAG_VERSION in tags && !(TAG_VAULT in tags) ? { [TAG_KEEPS]: TAG_VERSION } : {};
  const set = missingTags({ ...ownershipTags(owner), ...keeps }, tags);
  const outdated = owner.mount.kv === 1 && isOurVersion(tags) ? [TAG_VERSION] : []; // KV v1 has none to tell
  return { kind: 'change', arn, tags: { set, remove: present(tags, [TAG_RELEASED, TAG_ABSENT, ...outdated]) } };
}

const isOurVersion = (tags: Tags): boolean => TAG_VAULT in tags && !(TAG_KEEPS in tags);

function hindranceOf(destination: DestinationState, secretName: string): OwnershipChange | undefined {
  const { scheduledForDeletion, rotationEnabled, owningService } = destination;
  if (owningService !== undefined) {
    return refuse('rotation_enabled', `the secret ${secretName} is managed by ${owningService}: adopt none of those`);
  }
  if (rotationEnabled) {
    return refuse(
      'rotation_enabled',
      `the secret ${secretName} has rotation enabled: end that first, or two would write it`,
    );
  }
  if (!scheduledForDeletion) return undefined;
  return refuse('not_owned', `the secret ${secretName} is scheduled for deletion: restore it first`);
}

/** Whose copy is to be let go. */
interface Released {
  readonly vault: string;
  /** The ref as its tag spells it; undefined: whatever ref of this vault it names. */
  readonly ref: SecretRef | undefined;
  /** Whether the tag `version` is ours, where it was not there before us. */
  readonly versionTag: boolean;
}

/**
 * How a copy is let go: one tag says of which ref it was, and all others of ours go. The one is set before the others
 * are removed, so that the copy is refused from then on, whatever comes between.
 */
export function releasing(destination: DestinationState, { vault, ref, versionTag }: Released): OwnershipChange {
  const { arn, tags, scheduledForDeletion } = destination;
  const source = tags[TAG_SOURCE] ?? '';
  const wanted = ref === undefined ? (tags[TAG_RELEASED] ?? source) : sourceTag(ref);
  if (tags[TAG_RELEASED] === wanted && !(TAG_VAULT in tags)) return { kind: 'keep', arn };
  if (tags[TAG_VAULT] !== vault || source !== wanted) {
    return refuse(
      'not_owned',
      `${arn} is no copy of ours${ref === undefined ? '' : ' of that secret'}: its tags say so`,
    );
  }
  if (scheduledForDeletion) {
    return refuse('not_owned', `${arn} is scheduled for deletion: restore it first, or let it go`);
  }
  const ours = Object.keys(tags).filter((key) => key.startsWith(OURS) && key !== TAG_RELEASED);
  const version = versionTag && !(TAG_KEEPS in tags) ? present(tags, [TAG_VERSION]) : [];
  return {
    kind: 'change',
    arn,
    tags: { set: missingTags({ [TAG_RELEASED]: wanted }, tags), remove: [...ours, ...version] },
  };
}

const OURS = 'vaultferry:';

const refuse = (code: FailureCode, text: string): OwnershipChange => ({ kind: 'refuse', code, text });

const present = (tags: Tags, keys: readonly string[]): string[] => keys.filter((key) => key in tags);
