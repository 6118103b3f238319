import { createHash } from 'node:crypto';
import { escapeName, unescapeName } from './name.ts';
import { longestMount, type MountRef, type SecretRef } from './ref.ts';
import type { Mount } from './source.ts';

/** Secrets Manager's tags as a plain record. */
export type Tags = Readonly<Record<string, string>>;

export const TAG_VAULT = 'vaultferry:vault';
export const TAG_SOURCE = 'vaultferry:source';
export const TAG_ROUTE = 'vaultferry:route';
export const TAG_MOUNT = 'vaultferry:mount';
export const TAG_ABSENT = 'vaultferry:absent';
export const TAG_VERSION = 'version';

/** A tag value's limit, in characters (TagResource, API reference). */
const MAX_TAG_VALUE = 255;

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

function cut(text: string): string {
  if (text.length <= MAX_TAG_VALUE) return text;
  return `${text.slice(0, 180)}=${createHash('sha256').update(text).digest('hex')}`;
}

/** A derived name can hold what a tag cannot (`%3A`): written as in the names' escaping. */
const routeTag = (name: string): string =>
  cut(name.replace(/[^\p{L}\p{N} _.:/=+@-]/gu, (character) => escapeName(character)));

export const ownershipTags = ({ vault, route, ref, mount }: Owner): Tags => ({
  [TAG_VAULT]: vault,
  [TAG_SOURCE]: sourceTag(ref),
  [TAG_ROUTE]: routeTag(route),
  [TAG_MOUNT]: `${mount.accessor} v${mount.kv}`,
});

/** The ownership tags of `tags` that differ from the owner's, by key; empty when the copy is ours. */
export const foreignTags = (tags: Tags, owner: Owner): string[] =>
  Object.entries(ownershipTags(owner)).flatMap(([key, value]) => (tags[key] === value ? [] : [key]));

/** The entries of `wanted` that `actual` lacks or has otherwise. */
export const missingTags = (wanted: Tags, actual: Tags): Tags =>
  Object.fromEntries(Object.entries(wanted).filter(([key, value]) => actual[key] !== value));

/**
 * The ref that a copy's tag names, if it lies in one of `mounts`. A tag that had to be cut is read from the
 * description, which is believed only where it makes the same tag.
 */
export function taggedRef(tags: Tags, description: string, mounts: readonly MountRef[]): SecretRef | undefined {
  const tag = tags[TAG_SOURCE];
  for (const text of [tag ?? '', description]) {
    const ref = refOfSourceText(text, mounts);
    if (ref !== undefined && sourceTag(ref) === tag) return ref;
  }
  return undefined;
}

function refOfSourceText(text: string, mounts: readonly MountRef[]): SecretRef | undefined {
  const colon = text.indexOf(':');
  const namespace = colon < 0 ? '' : unescapeName(text.slice(0, colon));
  const rest = unescapeName(text.slice(colon + 1));
  const mount = longestMount(mounts, namespace, rest);
  return mount === undefined ? undefined : { namespace, mount, path: rest.slice(mount.length + 1) };
}
