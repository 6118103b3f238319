import type { Clock } from '../clock.ts';

/** A chunk that took longer than this, in ms, is the last of its stream before all others had their turn. */
const FAIR_TURN = 5;

interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * Node reads one stream many times in a row as long as there is more, so one that is dear to read would keep all others
 * waiting. Nothing is waited for but the others' turn.
 */
export function inTurns(
  stream: Pausable,
  clock: Pick<Clock, 'monotonic'>,
  take: (chunk: Buffer) => void,
): (chunk: Buffer) => void {
  return (chunk) => {
    const began = clock.monotonic();
    take(chunk);
    if (clock.monotonic() - began <= FAIR_TURN) return;
    stream.pause();
    setImmediate(() => stream.resume());
  };
}
