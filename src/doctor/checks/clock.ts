import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';

/** One clock beside ours. Milliseconds since the epoch, whole seconds of it on their side. */
export type ClockFacts = { readonly whose: string } & (
  | { readonly theirs: number; readonly ours: number }
  | { readonly unknown: string }
);

/** Past this people should know; in ms. */
const NOTABLE = 30_000;
/** AWS refuses signatures that are older or newer (SigV4), and hints from further ahead are ignored; in ms. */
const REFUSED = 300_000;

/** Do the clocks agree? */
export const judgeClocks = (clocks: readonly ClockFacts[]): Finding[] => clocks.map(judgeClock);

function judgeClock(clock: ClockFacts): Finding {
  if ('unknown' in clock) return notChecked(clock.whose, clock.unknown);
  const ahead = clock.ours - clock.theirs;
  const off = Math.abs(ahead);
  // Theirs is cut to whole seconds, and the answer took its time: less than that is no difference.
  if (off <= NOTABLE) return ok(clock.whose, off < 2_000 ? 'agrees with this host' : `differs by ${seconds(off)}`);
  const found = `this host is ${seconds(off)} ${ahead > 0 ? 'ahead' : 'behind'}`;
  return (off > REFUSED ? failure : warning)(clock.whose, found, MEND);
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
const MEND = 'set the clocks by NTP on both hosts; see timedatectl or chronyc tracking';
