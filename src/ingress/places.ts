import type net from 'node:net';

/** What a connection holds of a door. */
export interface Place {
  /** It has proved to be whom the door is for: it gives way after all that have not. */
  keep(): void;
  /** It has said something. */
  heard(): void;
  /** It is being answered until `end`: it gives way after all that are not, and never once it is kept. */
  begin(): void;
  end(): void;
}

/** The connections of one door, at most `limit` of them. */
export interface Places {
  /**
   * Takes the connection in; when all places are taken, another one is ended for it: the oldest that has not proved
   * itself, else the one that has been silent longest. Undefined, and the connection ended, when all are being answered.
   */
  admit(socket: net.Socket): Place | undefined;
  end(): void;
}

export interface PlacesOptions {
  readonly limit: number;
  /** Receives the number of open connections. */
  readonly onChange?: (count: number) => void;
  /** One that had proved itself is about to give way, or none could and the new one is about to be ended. */
  readonly onCrowded?: (ended: net.Socket) => void;
}

interface Held extends Place {
  readonly socket: net.Socket;
  kept: boolean;
  answers: number;
  /** Of all turns at which something was heard, the last of this one; a count costs less than a clock. */
  turn: number;
}

export function createPlaces({ limit, onChange, onCrowded }: PlacesOptions): Places {
  const held = new Set<Held>();
  let turns = 0;
  const nextTurn = () => {
    turns += 1;
    return turns;
  };
  const leave = (place: Held) => {
    if (held.delete(place)) onChange?.(held.size);
  };
  const makeRoom = (arrived: net.Socket): boolean => {
    if (held.size < limit) return true;
    const first = firstToGo(held);
    if (first === undefined || first.kept) onCrowded?.(first?.socket ?? arrived);
    if (first === undefined) return false;
    leave(first);
    first.socket.destroy();
    return true;
  };
  return {
    admit(socket) {
      if (!makeRoom(socket)) {
        socket.destroy();
        return undefined;
      }
      const place = hold(socket, nextTurn);
      held.add(place);
      onChange?.(held.size);
      socket.once('close', () => leave(place));
      return place;
    },
    end() {
      for (const { socket } of held) socket.destroy();
    },
  };
}

function hold(socket: net.Socket, nextTurn: () => number): Held {
  const place: Held = {
    socket,
    kept: false,
    answers: 0,
    turn: nextTurn(),
    keep() {
      place.kept = true;
      place.heard();
    },
    heard() {
      place.turn = nextTurn();
    },
    begin() {
      place.answers += 1;
    },
    end() {
      place.answers -= 1;
      place.heard();
    },
  };
  return place;
}

const NEVER = 3;
/** The order in which places are given up: not proved and idle, not proved, proved and idle. */
const rank = ({ kept, answers }: Held): number => (kept ? 2 : 0) + (answers > 0 ? 1 : 0);

function firstToGo(held: Iterable<Held>): Held | undefined {
  let first: Held | undefined;
  for (const place of held) {
    if (rank(place) === NEVER) continue;
    const after = first === undefined ? -1 : rank(place) - rank(first) || place.turn - first.turn;
    if (after < 0) first = place;
  }
  return first;
}
