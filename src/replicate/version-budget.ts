const MINUTE = 60_000;
/**
 * How long a version counts, in ms: Secrets Manager removes none that is younger than a day (user guide, quotas). The
 * minute more is for clocks that differ.
 */
export const COUNTS_FOR = 24 * 60 * MINUTE + MINUTE;
/** About 100 are kept: two may be older than a day, those at AWSCURRENT and AWSPREVIOUS. */
const MOST = 98;
/** So many of a day go at once, and the next up to {@link PACED} half a minute apart. */
const FREE = 20;
const PACED = 50;
/** The longest that the pace, and the next question, are put off; in ms. */
const LONGEST = 30 * MINUTE;

/**
 * How long to wait before another version of a secret is put, in ms: 0 is now, and after any other answer ask again.
 * Half an hour at most at a time. `times` are those of the secret's versions, in ms of the clock that tells `now`.
 * The turn never moves away while one waits for it.
 */
export function nextTurn(times: readonly number[], now: number): number {
  const seen = times.filter((time) => counts(time, now)).sort((a, b) => a - b);
  const last = seen.at(-1);
  if (last === undefined || seen.length < FREE) return 0;
  return Math.min(Math.max(last + spacing(seen, last) - now, 0), LONGEST);
}

/** Whether a version of that time is among those that Secrets Manager may not remove yet. */
export const counts = (time: number, now: number): boolean => time > now - COUNTS_FOR;

/**
 * What is left goes evenly until more is free: until the first version has aged, and until each later one has, with
 * what those before it have freed. The last of these is a day's share, some 15 minutes, so that no pace is faster.
 */
function spacing(seen: readonly number[], last: number): number {
  if (seen.length < PACED) return MINUTE / 2;
  const room = MOST - seen.length;
  const freed = seen.map((time) => time + COUNTS_FOR - last);
  const pace = Math.max(...freed.map((at, earlier) => (room + earlier < 1 ? 0 : at / (room + earlier))));
  const untilRoom = freed.slice(0, Math.max(1 - room, 0));
  return Math.max(...untilRoom, Math.min(pace, LONGEST));
}
