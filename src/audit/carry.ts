/** Room that is kept from line to line; what a longer line took is given back. */
const KEPT_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** The memory that the unfinished lines of many streams share. */
export interface CarryRoom {
  /** Called after the holder's `retainedBytes` changed by so many. May make it, or another, give up its line. */
  changed(holder: Holder, by: number): void;
}

interface Holder {
  readonly retainedBytes: number;
  giveUp(): void;
}

/** Past `maxBytes` the longest lines are given up, so that many streams that never end a line cost others nothing. */
export function createCarryRoom(maxBytes: number): CarryRoom {
  const holders = new Set<Holder>();
  let bytes = 0;
  return {
    changed(holder, by) {
      bytes += by;
      if (holder.retainedBytes === 0) holders.delete(holder);
      else holders.add(holder);
      if (bytes > maxBytes) longestOf(holders).giveUp();
    },
  };
}

const longestOf = (holders: Iterable<Holder>): Holder =>
  [...holders].reduce((longest, holder) => (holder.retainedBytes > longest.retainedBytes ? holder : longest));

/** The line whose newline has not come yet. */
interface Carry extends Holder {
  append(piece: Buffer): void;
  /** Ends the line and gives its bytes, valid until the next `append`; none of a line over the bound or given up. */
  take(): Buffer;
  /** The stream is over: gives all memory back. */
  end(): void;
  /** Bytes appended since the last `take`, those over the bound included. */
  readonly length: number;
  /** The line is over the bound, or was given up for others. */
  readonly lost: boolean;
  /** Bytes of memory held; never more than the bound. */
  readonly retainedBytes: number;
}

/**
 * Pieces are copied, because a socket may reuse its chunk, into one buffer that doubles, so that a long line in many
 * small chunks costs linear time. A line that outgrows `maxBytes` is only measured from then on.
 */
export function createCarry(maxBytes: number, shared: CarryRoom = createCarryRoom(maxBytes)): Carry {
  let room: Buffer = NOTHING;
  let length = 0;
  let lost = false;
  const use = (next: Buffer): void => {
    const by = next.length - room.length;
    room = next;
    if (by !== 0) shared.changed(carry, by);
  };
  const grow = (kept: number): void => {
    const wider = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(length, 2 * room.length)));
    room.copy(wider, 0, 0, kept);
    use(wider);
  };
  const carry: Carry = {
    append(piece) {
      const at = length;
      length += piece.length;
      if (length > maxBytes) carry.giveUp();
      if (!lost && length > room.length) grow(at); // which may find the line too long for all
      if (!lost) piece.copy(room, at);
    },
    take() {
      const bytes = lost ? NOTHING : room.subarray(0, length);
      length = 0;
      lost = false;
      if (room.length > KEPT_BYTES) use(NOTHING);
      return bytes;
    },
    giveUp() {
      lost = length > 0;
      use(NOTHING);
    },
    end() {
      carry.take();
      use(NOTHING);
    },
    get length() {
      return length;
    },
    get lost() {
      return lost;
    },
    get retainedBytes() {
      return room.length;
    },
  };
  return carry;
}
