import type { Clock } from '../clock.ts';
import { grouped } from './table.ts';

/** Between two texts, in ms: more often nobody can read them. */
const SHOWN_EVERY = 200;
/** A rate is told once it has been measured for so long, in ms. */
const MEASURED_FOR = 1_000;

/** Shows how far a comparison is, how fast it goes, and how long it will take. */
export interface Meter {
  /** A secret of Vault was listed that should have so many copies. */
  listed(copies: number): void;
  /** One copy, or one secret that should have one, was compared. */
  compared(): void;
  /** Nothing is put on the queue while so many messages wait there. */
  crowded(messages: number): void;
  /** Takes it away. */
  end(): void;
}

/** What is counted, in the words of its text: what is listed, and what is done with it. */
interface Words {
  readonly listing: string;
  readonly doing: string;
}

const COMPARING: Words = { listing: 'listing Vault', doing: 'comparing' };

export function createMeter(
  show: (text: string) => void,
  clock: Pick<Clock, 'monotonic'>,
  { listing, doing }: Words = COMPARING,
): Meter {
  let listed = 0;
  let compared = 0;
  const began = clock.monotonic();
  let comparing: number | undefined;
  let shownAt = Number.NEGATIVE_INFINITY;
  const showSometimes = (text: (now: number) => string) => {
    const now = clock.monotonic();
    if (now - shownAt < SHOWN_EVERY) return;
    shownAt = now;
    show(text(now));
  };
  return {
    listed(copies) {
      listed += copies;
      showSometimes((now) => progressText(listing, listed, undefined, now - began));
    },
    compared() {
      compared += 1;
      comparing ??= clock.monotonic();
      const since = comparing;
      showSometimes((now) => progressText(doing, compared, listed, now - since));
    },
    crowded: (messages) => show(crowdedText(messages)),
    end: () => show(''),
  };
}

export const crowdedText = (messages: number): string =>
  `${grouped(messages)} messages wait on the queue, and none is added meanwhile: is a worker running?`;

/** `comparing: 12,000 of 100,000, 850 a second, 1 m 43 s left`; orphans come on top of the total. */
export function progressText(what: string, done: number, total: number | undefined, ms: number): string {
  const left = Math.max(0, (total ?? 0) - done);
  const parts = [`${what}: ${grouped(done)}${left > 0 ? ` of ${grouped(done + left)}` : ''}`];
  if (ms < MEASURED_FOR) return parts.join(', ');
  const perSecond = (done / ms) * 1000;
  parts.push(`${grouped(Math.max(1, Math.round(perSecond)))} a second`);
  if (left > 0) parts.push(`${duration(left / perSecond)} left`);
  return parts.join(', ');
}

/** `45 s`, `1 m 43 s`, `2 h 5 m`. */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  if (hours > 0) return `${hours} h ${minutes % 60} m`;
  return minutes > 0 ? `${minutes} m ${whole % 60} s` : `${whole} s`;
}
