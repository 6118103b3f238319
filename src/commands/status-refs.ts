import { toReplicationError } from '../errors.ts';
import { formatMount, type MountRef, parseRef, type SecretRef } from '../replicate/ref.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Source } from '../replicate/source.ts';
import { type Tags, taggedRef } from '../replicate/tags.ts';

export interface RefsOptions {
  /** As people write them; none means all that are routed. */
  readonly refs: readonly string[];
  readonly routes: Routes;
  readonly source: Pick<Source, 'list'>;
  /** The copies of this vault, by the destination's name. */
  readonly copies: ReadonlyMap<string, () => AsyncIterable<{ readonly tags: Tags; readonly description: string }>>;
  /** A REF that no route covers, or a listing that failed: what is known is not all. */
  readonly onProblem: (text: string) => void;
}

/** The refs that were asked for, or all that Vault lists or that a copy names; each once, and only routed ones. */
export async function* refsToLookAt(options: RefsOptions): AsyncGenerator<SecretRef> {
  const seen = new Set<string>();
  for await (const ref of options.refs.length > 0 ? named(options) : all(options)) {
    const key = JSON.stringify([ref.namespace, ref.mount, ref.path]);
    if (seen.has(key)) continue;
    seen.add(key);
    yield ref;
  }
}

function* named({ refs, routes, onProblem }: RefsOptions): Generator<SecretRef> {
  for (const text of refs) {
    const ref = parseRef(text, routes.mounts);
    if (ref !== undefined && routes.targets(ref).length > 0) yield ref;
    else onProblem(`${text}: no route covers it; a REF is [namespace:]mount/path of a routed mount`);
  }
}

async function* all({ routes, source, copies, onProblem }: RefsOptions): AsyncGenerator<SecretRef> {
  for (const mount of routes.mounts) {
    yield* withoutThrowing(routedIn(source, routes, mount), (text) =>
      onProblem(`${formatMount(mount)} cannot be listed: ${text}`),
    );
  }
  for (const [destination, list] of copies) {
    yield* withoutThrowing(copied(list(), routes), (text) =>
      onProblem(`the copies at ${destination} cannot be listed: ${text}`),
    );
  }
}

async function* routedIn(source: RefsOptions['source'], routes: Routes, mount: MountRef): AsyncGenerator<SecretRef> {
  for await (const path of source.list(mount)) {
    const ref = { ...mount, path };
    if (routes.targets(ref).length > 0) yield ref;
  }
}

async function* copied(
  copies: AsyncIterable<{ readonly tags: Tags; readonly description: string }>,
  routes: Routes,
): AsyncGenerator<SecretRef> {
  for await (const { tags, description } of copies) {
    const ref = taggedRef(tags, description, routes.mounts);
    if (ref !== undefined && routes.targets(ref).length > 0) yield ref;
  }
}

async function* withoutThrowing<T>(values: AsyncIterable<T>, told: (text: string) => void): AsyncGenerator<T> {
  try {
    yield* values;
  } catch (error) {
    const { message, code } = toReplicationError(error);
    told(`${message} (${code})`);
  }
}
