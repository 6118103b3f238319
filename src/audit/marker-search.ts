const SLASH = 0x2f;
const NOWHERE = Number.POSITIVE_INFINITY;

/** The first position at or after `from` where something is found; NOWHERE when nothing is. */
type Find = (bytes: Buffer, from: number) => number;

/** A marker and the offset of its last slash, by which it is found. */
interface Anchored {
  readonly marker: Buffer;
  readonly slash: number;
}

/**
 * Searches bytes for the first of many markers: `search(bytes)(from)` is a position inside the next marker at or after
 * `from`, Infinity when there is none. `from` must grow from call to call and begin a line; markers hold no newline.
 *
 * Nearly every marker holds a slash (a mount is followed by one) and audit lines hold few, so hopping from slash to
 * slash by memchr costs the same for a hundred mounts as for one, where a search per marker costs more with each.
 */
export function createMarkerSearch(markers: readonly Buffer[]): (bytes: Buffer) => (from: number) => number {
  const anchored = markers.map((marker) => ({ marker, slash: marker.lastIndexOf(SLASH) }));
  const finds = [
    findBySlash(anchored.filter(({ slash }) => slash > 0)),
    ...anchored.filter(({ slash }) => slash <= 0).map(({ marker }) => findPlain(marker)),
  ];
  return (bytes) => {
    const cursors = finds.map((find) => cursor(find, bytes));
    return (from) => cursors.reduce((first, next) => Math.min(first, next(from)), NOWHERE);
  };
}

/** Keeps the last answer until it is passed: a rare marker is not searched for again at each hit of a frequent one. */
function cursor(find: Find, bytes: Buffer): (from: number) => number {
  let at = -1;
  return (from) => {
    if (at < from) at = find(bytes, from);
    return at;
  };
}

const findPlain =
  (marker: Buffer): Find =>
  (bytes, from) => {
    const at = bytes.indexOf(marker, from);
    return at < 0 ? NOWHERE : at;
  };

function findBySlash(anchored: readonly Anchored[]): Find {
  const byPreviousByte = Array.from({ length: 256 }, (_, byte) =>
    anchored.filter(({ marker, slash }) => marker[slash - 1] === byte),
  );
  return (bytes, from) => {
    for (let at = bytes.indexOf(SLASH, from); at >= 0; at = bytes.indexOf(SLASH, at + 1)) {
      const candidates = byPreviousByte[bytes[at - 1] ?? SLASH];
      if (candidates?.some(({ marker, slash }) => standsAt(marker, bytes, at - slash))) return at;
    }
    return NOWHERE;
  };
}

function standsAt(marker: Buffer, bytes: Buffer, start: number): boolean {
  for (let offset = marker.length - 1; offset >= 0; offset -= 1) {
    if (marker[offset] !== bytes[start + offset]) return false;
  }
  return true;
}
