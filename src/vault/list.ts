import { ReplicationError } from '../errors.ts';
import { formatMount, type MountRef } from '../replicate/ref.ts';
import { listedKeys } from './answer.ts';
import { forbidden, policyLine, type Reader } from './ask.ts';
import type { Mounts } from './mounts.ts';
import { listPath } from './path.ts';

/** What a listing needs. */
export interface Listing {
  readonly reader: Pick<Reader, 'get'>;
  readonly mounts: Pick<Mounts, 'entry'>;
}

/** Told of a folder that the policy does not show; what else it does is to throw. */
export type OnHidden = (folder: string, error: ReplicationError) => void;

/**
 * Depth first, one folder at a time. The entry is compared before and after: another mount of that name looks empty, and
 * so does one that was upgraded meanwhile. A folder that may not be listed ends it, unless `onHidden` takes note of it.
 */
export async function* list({ reader, mounts }: Listing, ref: MountRef, onHidden?: OnHidden): AsyncGenerator<string> {
  const before = await mounts.entry(ref);
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const below = folder;
    const keys = await listFolder(reader, ref, below, before.kv).catch(hidden(below, onHidden));
    yield* keys.filter((key) => !key.endsWith('/')).map((key) => below + key);
    folders.push(
      ...keys
        .filter((key) => key.endsWith('/'))
        .map((key) => below + key)
        .reverse(),
    );
  }
  const after = await mounts.entry(ref);
  if (after.accessor !== before.accessor || after.kv !== before.kv) {
    throw new ReplicationError(
      'source_unavailable',
      `the mount ${formatMount(ref)} was replaced while it was listed; list it again`,
    );
  }
}

/** A mount that may not be listed at all is no folder of it that is hidden. */
export const hidden =
  (folder: string, onHidden: OnHidden | undefined) =>
  (error: unknown): readonly string[] => {
    const isRefusal = error instanceof ReplicationError && error.code === 'source_forbidden';
    if (!isRefusal || folder === '' || onHidden === undefined) throw error;
    onHidden(folder, error);
    return [];
  };

/** A LIST of one folder: some hundred thousand names. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

async function listFolder(
  reader: Listing['reader'],
  ref: MountRef,
  folder: string,
  kv: 1 | 2,
): Promise<readonly string[]> {
  const what = `the list of ${formatMount(ref)}/${folder}`;
  const answer = await reader.get(ref.namespace, listPath(ref, folder, kv), what, MAX_LIST_BYTES);
  if (answer.status === 403) {
    const below = kv === 2 ? `metadata/${folder}*` : `${folder}*`;
    throw forbidden(ref.namespace, what, policyLine(ref, below, 'list'));
  }
  return listedKeys(answer, what);
}
