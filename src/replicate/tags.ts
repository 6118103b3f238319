import { hash } from 'node:crypto';
import { escapeName, unescapeName } from './name.ts';
import { longestMount, type MountRef, type SecretRef } from './ref.ts';
import type { Mount } from './source.ts';

/** Secrets Manager's tags as a plain record. */
export type Tags = Readonly<Record<string, string>>;

export const TAG_VAULT = 'vaultferry:vault';
export const TAG_SOURCE = 'vaultferry:source';
const TAG_ROUTE = 'vaultferry:route';
const TAG_MOUNT = 'vaultferry:mount';
export const TAG_ABSENT = 'vaultferry:absent';
/** The ref of a copy that was let go: nothing is written there until it is adopted. */
export const TAG_RELEASED = 'vaultferry:released';
/** Names the tag `version` on a secret that had one when it was adopted: it is somebody else's, and stays as it is. */
export const TAG_KEEPS = 'vaultferry:keeps';
export const TAG_VERSION = 'version';

/** A tag value's limit, in characters (TagResource, API reference). */
const MAX_TAG_VALUE = 255;
/** How much of a longer text a tag keeps before its hash. */
const KEPT = 180;
/** What {@link cut} makes of a longer text. A whole text may look so too, where an escape begins its last 65 characters. */
const LOOKS_CUT = new RegExp(`^.{${KEPT}}=[0-9a-f]{64}$`, 's');

/** Who a copy belongs to: all four must match before anything of it is touched. */
export interface Owner {
  readonly vault: string;
  readonly route: string;
  readonly ref: SecretRef;
  readonly mount: Mount;
}

/** The ref in the names' escaping, `[namespace:]mount/path`; never cut, since it is also read back. */
export function sourceText({ namespace, mount, path }: SecretRef): string {
  const prefix = namespace === '' ? '' : `${escapeName(namespace)}:`;
  return `${prefix}${escapeName(mount)}/${escapeName(path)}`;
}

/** The ref as a tag value: one that is too long keeps its beginning and gets its hash. Compared whole. */
export function sourceTag(ref: SecretRef): string {
  return cut(sourceText(ref));
}

/** Half of a character that the cut went through is left out: Secrets Manager takes well-formed text only. */
function cut(text: string, max = MAX_TAG_VALUE, kept = KEPT): string {
  if (text.length <= max) return text;
  const beginning = text.slice(0, kept).replace(/\p{Surrogate}$/u, '');
  return `${beginning}=${hash('sha256', text)}`;
}

/** What a tag cannot hold (a derived route name's `%3A`), written as in the names' escaping. */
const escapeTag = (text: string): string =>
  text.replace(/[^\p{L}\p{N} _.:/=+@-]/gu, (character) => escapeName(character));

/** What an absence stands on: the version id at AWSCURRENT and why there is no secret, as a tag that has a time before it. */
export const absenceTag = (versionId: string, why: string): string => cut(escapeTag(`${versionId} ${why}`), 220, 150);

export const ownershipTags = ({ vault, route, ref, mount }: Owner): Tags => ({
  [TAG_VAULT]: vault,
  [TAG_SOURCE]: sourceTag(ref),
  [TAG_ROUTE]: cut(escapeTag(route)),
  [TAG_MOUNT]: cut(escapeTag(`${mount.accessor} v${mount.kv}`)),
});

/** The ownership tags of `tags` that differ from the owner's, by key; empty when the copy is ours. */
export const foreignTags = (tags: Tags, owner: Owner): string[] =>
  Object.entries(ownershipTags(owner)).flatMap(([key, value]) => (tags[key] === value ? [] : [key]));

/** The entries of `wanted` that `actual` lacks or has otherwise. */
export const missingTags = (wanted: Tags, actual: Tags): Tags =>
  Object.fromEntries(Object.entries(wanted).filter(([key, value]) => actual[key] !== value));

/**
 * The ref that a copy's tag names, if it lies in one of `mounts`. A tag that may have been cut is read from the
 * description instead, which is believed only where it makes the same tag: the hash of a cut one can begin like an
 * escape, and so pass for a path of its own.
 */
export function taggedRef(tags: Tags, description: string, mounts: readonly MountRef[]): SecretRef | undefined {
  const tag = tags[TAG_SOURCE] ?? '';
  const ref = refOfSourceText(LOOKS_CUT.test(tag) ? description : tag, mounts);
  return ref !== undefined && sourceTag(ref) === tag ? ref : undefined;
}

function refOfSourceText(text: string, mounts: readonly MountRef[]): SecretRef | undefined {
  const colon = text.indexOf(':');
  const namespace = colon < 0 ? '' : unescapeName(text.slice(0, colon));
  const rest = unescapeName(text.slice(colon + 1));
  const mount = longestMount(mounts, namespace, rest);
  return mount === undefined ? undefined : { namespace, mount, path: rest.slice(mount.length + 1) };
}
