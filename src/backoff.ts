/** The longest wait between two tries, before chance is added, in seconds. */
const LONGEST = 30;

/**
 * How long to wait after the n-th failure in a row, in whole seconds: 1 s after the first, then doubling up to half a
 * minute, each up to half as long again by chance. `random` is in [0, 1).
 */
export function backoff(failures: number, random: number): number {
  const base = Math.min(2 ** (failures - 1), LONGEST);
  return Math.round(base * (1 + random / 2));
}
