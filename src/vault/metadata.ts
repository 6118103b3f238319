import type { Absent, PresentUnread } from '../replicate/source.ts';
import { compactTime } from '../replicate/version-id.ts';
import { at } from './answer.ts';

/**
 * What a KV v2 secret's metadata says of its current version: present, or absent as a read of the value would find it.
 * Undefined where it says nothing readable, so that the secret must be looked at. `now` is in ms since the epoch: a
 * deletion_time may lie ahead (delete_version_after).
 */
export function currentVersion(
  metadata: unknown,
  mount: PresentUnread['mount'],
  now: number,
): PresentUnread | Absent | undefined {
  const version = at(metadata, 'current_version');
  if (version === 0) return { kind: 'absent', mount, why: 'purged' }; // metadata alone: a read answers like a purge
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return undefined;
  const entry = at(metadata, 'versions', String(version));
  const createdTime = at(entry, 'created_time');
  const deletionTime = at(entry, 'deletion_time');
  const destroyed = at(entry, 'destroyed');
  if (typeof createdTime !== 'string' || compactTime(createdTime) === undefined) return undefined;
  if (typeof deletionTime !== 'string' || typeof destroyed !== 'boolean') return undefined;
  const latest = { version, createdTime };
  if (destroyed) {
    return { kind: 'absent', mount, why: 'destroyed', latest, ...(deletionTime !== '' && { deletionTime }) };
  }
  if (deletionTime === '' || Date.parse(deletionTime) > now) return { kind: 'present', mount, ...latest };
  return Number.isNaN(Date.parse(deletionTime))
    ? undefined
    : { kind: 'absent', mount, why: 'deleted', latest, deletionTime };
}
