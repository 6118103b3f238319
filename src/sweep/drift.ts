import type { Look } from '../replicate/decide.ts';
import type { DestinationState } from '../replicate/destination.ts';
import type { SecretRef } from '../replicate/ref.ts';
import type { Target } from '../replicate/routes.ts';
import type { Absent, PresentUnread } from '../replicate/source.ts';
import { type Standing, type State, standing } from '../replicate/standing.ts';
import { TAG_VERSION, type Tags } from '../replicate/tags.ts';
import { Sensitive } from '../sensitive.ts';

/** How a copy stands; `orphan`: no route covers it; `unknown`: only a look can tell (KV v1, hidden metadata). */
export type Kind = State | 'orphan' | 'unknown';

/** What a sweep finds of one copy, or of one secret that should have one. */
export interface Finding {
  readonly ref: SecretRef;
  readonly destination: string;
  readonly secretName: string;
  readonly kind: Kind;
  /** The place of its changes; undefined for an orphan. */
  readonly target?: Target;
  readonly standing?: Standing;
  /** When the difference began, ms since the epoch, as far as Vault tells. */
  readonly since?: number;
  readonly copy?: DestinationState;
}

/** What a destination's settings add to a look. */
export interface SweptSettings {
  readonly tags: Tags;
  readonly versionTag: boolean;
  /** `maxSecrets`, where so many copies are there. */
  readonly fullAt?: number | undefined;
}

/**
 * What both listings say of one copy, judged by the one policy there is. The value was not read: of two versions that
 * differ, the decision does not depend on it, and of one that is equal, nothing is written.
 */
export function driftOf(
  source: PresentUnread | Absent,
  copy: DestinationState | undefined,
  about: { readonly vault: string; readonly ref: SecretRef; readonly target: Target; readonly now: number },
  { tags, versionTag, fullAt }: SweptSettings,
): Finding {
  const { vault, ref, target, now } = about;
  const version: Tags = versionTag && source.kind === 'present' ? { [TAG_VERSION]: String(source.version) } : {};
  const look: Look = {
    source: source.kind === 'present' ? { ...source, value: NOT_READ } : source,
    destination: copy,
    owner: { vault, route: target.route, ref, mount: source.mount },
    secretName: target.secretName,
    tags: { ...tags, ...version },
    hint: undefined,
    fullAt,
    acceptStale: false,
    now: new Date(now).toISOString(),
    fresh: '', // for ids of KV v1 alone, whose secrets no listing tells apart
  };
  const stands = standing(look);
  const since = sinceOf(source);
  return {
    ...{ ref, target, destination: target.destination, secretName: target.secretName },
    ...{ kind: stands.state, standing: stands },
    ...(since !== undefined && !stands.inSync && { since }),
    ...(copy !== undefined && { copy }),
  };
}

const NOT_READ = new Sensitive('');

function sinceOf(source: PresentUnread | Absent): number | undefined {
  const time = Date.parse(source.kind === 'present' ? source.createdTime : (source.deletionTime ?? ''));
  return Number.isNaN(time) ? undefined : time;
}

/** Whether a look could change it: what is in sync, foreign or refused stands in the report alone. */
export function needsLook({ kind, standing: stands }: Finding): boolean {
  if (kind === 'unknown') return true;
  return stands !== undefined && !stands.inSync && kind !== 'conflict' && stands.code !== 'limit_reached';
}
