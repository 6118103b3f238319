/** The number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(cheapest(a, b, i, j, row, last, beforeLast));
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

const at = (row: readonly number[], j: number): number => Number(row[j]);

function cheapest(a: string, b: string, i: number, j: number, row: number[], last: number[], beforeLast: number[]) {
  const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
  const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  const swapped = swaps ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY;
  return Math.min(replaced, swapped, at(row, j - 1) + 1, at(last, j) + 1);
}

// Spellings of other configuration languages (dead_letter_url, Dead-Letter-URL) are no distance at all.
const bare = (name: string): string => name.replace(/[-_ .]/g, '').toLowerCase();

/** The known name that was probably meant: at most a third of its letters, rounded up, differ; undefined when none is that near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = bare(name).slice(0, 64);
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, bare(candidate));
    const near = distance <= Math.ceil(candidate.length / 3);
    if (near && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name;
}
