/** Room that is kept from line to line; what a longer line took is given back. */
const KEPT_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** The line whose newline has not come yet. */
interface Carry {
  append(piece: Buffer): void;
  /** Ends the line and gives its bytes, valid until the next `append`; none of a line over the bound. */
  take(): Buffer;
  /** Bytes appended since the last `take`, those over the bound included. */
  readonly length: number;
  /** Bytes of memory held; never more than the bound. */
  readonly retainedBytes: number;
}

/**
 * Pieces are copied, because a socket may reuse its chunk, into one buffer that doubles, so that a long line in many
 * small chunks costs linear time. A line that outgrows `maxBytes` is only measured from then on.
 */
export function createCarry(maxBytes: number): Carry {
  let room: Buffer = NOTHING;
  let length = 0;
  const grow = (needed: number): void => {
    const wider = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(needed, 2 * room.length)));
    room.copy(wider, 0, 0, length);
    room = wider;
  };
  return {
    append(piece) {
      const needed = length + piece.length;
      if (needed > maxBytes) room = NOTHING;
      else {
        if (needed > room.length) grow(needed);
        piece.copy(room, length);
      }
      length = needed;
    },
    take() {
      const bytes = room.subarray(0, length);
      length = 0;
      if (room.length > KEPT_BYTES) room = NOTHING;
      return bytes;
    },
    get length() {
      return length;
    },
    get retainedBytes() {
      return room.length;
    },
  };
}
