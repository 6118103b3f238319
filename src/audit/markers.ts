import type { MountRef } from '../replicate/ref.ts';

/** What must stand in a line about the mount table, a remount or a raft snapshot restore. */
const SYSTEM = ['sys/mounts', 'sys/remount', 'storage/raft/snapshot'];

/**
 * Any writer of JSON may spell a slash or another character of a path by one of these (Go writes `<` as \u003c, others
 * é as \u00e9, PHP `/` as \/). A line that holds one could spell a mount in a way that no fixed bytes match, so it is
 * parsed. Vault's own lines hold them rarely: the quotes, newlines and tabs of its texts are escaped otherwise.
 */
const ESCAPES = ['\\u', '\\/'];

/** JSON cannot hold these raw, so a mount with one of them stands in a line only together with a backslash. */
const isAlwaysEscaped = (char: string): boolean => char < ' ' || char === '"' || char === '\\';

/**
 * The bytes of which one stands in each line that can change a routed mount, however the line's writer spells its JSON:
 * a mount is written raw, or an escape gives it away. `path` begins with the mount and a slash, so namespaces need no
 * markers of their own. A false positive costs one parse.
 */
export function auditMarkers(routes: readonly MountRef[]): Buffer[] {
  const mounts = routes.map(({ mount }) => ([...mount].some(isAlwaysEscaped) ? '\\' : `${mount}/`));
  return [...new Set([...mounts, ...SYSTEM, ...ESCAPES])].map((marker) => Buffer.from(marker));
}
