import { AFTER, BACKSLASH, BEFORE, createByteSearch, SEARCHED, SLASH, tableOf } from './byte-search.ts';
import { holdsAt } from './bytes.ts';

/** Most bytes that are searched at once. Larger reads save calls, and this still fits a core's cache. */
export const SEARCHED_BYTES = 128 * 1024;

/** Finds what bytes hold of many markers; the cost is the same for a hundred of them as for one. */
export interface MarkerSearch {
  /** Of SEARCHED_BYTES. What is read into it is searched where it lies; other bytes are copied first. */
  readonly buffer: Buffer;
  /** Searches up to SEARCHED_BYTES. The answer is valid until the next call, and as long as the bytes stay as they are. */
  within(bytes: Buffer): Searched;
  /** Whether a text of any length holds a marker. */
  holds(text: Buffer): boolean;
}

interface Searched {
  /** Where the first marker that stands at or after `from` is found; the length of the bytes when none does. */
  next(from: number): number;
  readonly newlines: number;
}

const COPY = SEARCHED + SEARCHED_BYTES;

/**
 * Every marker holds a slash (a mount is followed by one) or a backslash, and audit lines hold few of either. So the
 * bytes are searched for these two with the processor's vector instructions, ten times as fast as by Buffer's methods,
 * and what stands between two bytes that may be a marker's is looked at here.
 *
 * @param markers each holds a slash or a backslash, and no newline
 */
export function createMarkerSearch(markers: readonly Buffer[]): MarkerSearch {
  const { memory, anchor, newlines } = createByteSearch();
  const home = memory.buffer;
  const anchored = markers.map(anchoredAt);
  fillTables(anchored, new DataView(home, 0, SEARCHED));
  const standsAt = createComparison(anchored);
  const copy = Buffer.from(home, COPY, SEARCHED_BYTES);
  const addressOf = (bytes: Buffer): number => {
    if (bytes.buffer === home) return bytes.byteOffset;
    copy.set(bytes);
    return COPY;
  };
  const within = (bytes: Buffer): Searched => {
    const begin = addressOf(bytes);
    const end = begin + bytes.length;
    return {
      next(from) {
        let at = anchor(begin + from, end);
        while (at < end && !standsAt(bytes, at - begin)) at = anchor(at + 1, end);
        return at - begin;
      },
      get newlines() {
        return newlines(begin, end);
      },
    };
  };
  const holds = (text: Buffer): boolean =>
    text.length <= SEARCHED_BYTES
      ? within(text).next(0) < text.length
      : markers.some((marker) => text.includes(marker));
  return { buffer: Buffer.from(home, SEARCHED, SEARCHED_BYTES), within, holds };
}

/** A marker, and where in it the slash or backslash stands by which it is found. */
interface Anchored {
  readonly marker: Buffer;
  readonly at: number;
}

/** One with a byte of the marker on either side is better, since not every such byte is of interest then. */
function anchoredAt(marker: Buffer): Anchored {
  const places = [...marker.keys()].filter((at) => marker[at] === SLASH || marker[at] === BACKSLASH);
  const at = places.find((place) => place > 0 && place < marker.length - 1) ?? places.at(-1);
  if (at === undefined) throw new RangeError('a marker needs a slash or a backslash');
  return { marker, at };
}

/** Tells the module which bytes stand around each marker's anchor; beyond the marker's ends that is any. */
function fillTables(anchored: readonly Anchored[], tables: DataView): void {
  for (const [index, { marker, at }] of anchored.entries()) {
    const bit = 1 << (index % 8);
    const allow = (table: number, byte: number | undefined): void => {
      const [from, to] = byte === undefined ? [0, 256] : [byte, byte + 1];
      for (let place = table + from; place < table + to; place += 1) {
        tables.setUint8(place, tables.getUint8(place) | bit);
      }
    };
    allow(BEFORE + tableOf(marker[at]), marker[at - 1]);
    allow(AFTER + tableOf(marker[at]), marker[at + 1]);
  }
}

/** Whether a marker stands around the slash or backslash at that place of the bytes. */
function createComparison(anchored: readonly Anchored[]): (bytes: Buffer, at: number) => boolean {
  const byByteBefore = Array.from({ length: 256 }, (_, byte) =>
    anchored.filter(({ marker, at }) => (marker[at - 1] ?? byte) === byte),
  );
  return (bytes, place) => {
    const candidates = byByteBefore[bytes[place - 1] ?? 0] as readonly Anchored[]; // there is one for each byte
    for (const { marker, at } of candidates) {
      if (holdsAt(bytes, marker, place - at)) return true;
    }
    return false;
  };
}
