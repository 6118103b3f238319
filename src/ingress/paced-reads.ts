import type { Clock } from '../clock.ts';

/** After so many reads, each soon after the last one, they are spaced. */
const IN_A_ROW = 10;
/** What is soon, in ms. */
const SOON = 20;
/** From one such read to the next, in ms. */
const SPACING = 5;
/**
 * Whoever has sent more than this when it is read, in bytes, is read on at once. The kernel keeps about three times as much for
 * a socket that is not read, so it takes a sudden flood for the sender, who is Vault, to wait at all, and then for 5 ms.
 */
const LITTLE = 32 * 1024;

interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * Of a stream that brings a line at a time, a thousand times a second, several are read together: a read costs this
 * process, and a machine that it shares with Vault, as much as a line. The first lines after a quiet moment are read at once.
 * It is for a stream of which each read takes all that has come: elsewhere a small one tells nothing of those behind it.
 */
export function pacedReads(
  stream: Pausable,
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  take: (chunk: Buffer) => void,
): (chunk: Buffer) => void {
  let last = Number.NEGATIVE_INFINITY;
  let row = 0;
  const pause = async () => {
    stream.pause();
    await clock.sleep(SPACING);
    stream.resume();
  };
  return (chunk) => {
    const now = clock.monotonic();
    row = now - last < SOON && chunk.length < LITTLE ? row + 1 : 0;
    last = now;
    if (row >= IN_A_ROW) void pause();
    take(chunk);
  };
}
