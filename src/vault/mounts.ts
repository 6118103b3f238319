import { ReplicationError } from '../errors.ts';
import { formatMount, type MountRef, mountKey } from '../replicate/ref.ts';
import type { Mount } from '../replicate/source.ts';
import { mountEntry } from './answer.ts';
import type { Reader } from './ask.ts';
import { entryPath } from './path.ts';

/** A mount, and which KV version its routes say it has; `auto` takes what Vault says. */
export interface RoutedMount extends MountRef {
  readonly kvVersion?: 'auto' | 1 | 2;
}

export interface Mounts {
  /**
   * The mount's entry as it is now. Throws mount_version_mismatch when it is no KV, or of another version than its route
   * says, and source_unavailable when Vault does not show it.
   */
  entry(ref: MountRef): Promise<Mount>;
  /** The version that the mount had when it was last asked for: a guess, so that the value can be asked for beside the entry. */
  lastSeen(ref: MountRef): 1 | 2 | undefined;
}

export function createMounts(reader: Pick<Reader, 'get'>, routed: readonly RoutedMount[]): Mounts {
  const wanted = new Map<string, 1 | 2>();
  for (const mount of routed) {
    if (mount.kvVersion === 1 || mount.kvVersion === 2) wanted.set(mountKey(mount), mount.kvVersion);
  }
  const seen = new Map(wanted);
  return {
    async entry(ref) {
      const entry = await readEntry(reader, ref);
      const version = wanted.get(mountKey(ref));
      if (version !== undefined && entry.kv !== version) throw otherVersion(ref, entry.kv, version);
      seen.set(mountKey(ref), entry.kv);
      return entry;
    },
    lastSeen: (ref) => seen.get(mountKey(ref)),
  };
}

/** The entry, whatever the routes say of the mount. */
export const readEntry = async (reader: Pick<Reader, 'get'>, ref: MountRef): Promise<Mount> =>
  mountEntry(await reader.get(ref.namespace, entryPath(ref), `the mount ${formatMount(ref)}`), ref);

const otherVersion = (ref: MountRef, kv: 1 | 2, wanted: 1 | 2): ReplicationError =>
  new ReplicationError(
    'mount_version_mismatch',
    `the mount ${formatMount(ref)} is KV version ${kv}, and its route says kvVersion: ${wanted}; set it to ${kv}, or to auto`,
  );
