import { type Context, DEEDS, FAULTS, line, type Maker, MINUTE, SECOND } from './kinds.ts';
import { between, chance, count, createRandom, pick, spread } from './random.ts';
import { type At, type Deed, type Event, type Fault, type Schedule, SECRETS } from './schedule.ts';
import { storyOf } from './stories.ts';

export const schedule = (seed: number): Schedule => ({
  ...drawn(seed),
  ...storyOf(createRandom(`story ${seed}`)),
});

function drawn(seed: number): Schedule {
  const random = createRandom(`schedule ${seed}`);
  const duel = chance(random, 0.4);
  const ends = duel ? spread(random, 20 * SECOND, 5 * MINUTE) : spread(random, MINUTE, 40 * MINUTE);
  const hot = count(random, 0, SECRETS.length - 1);
  const context = { random, ends, hot, duel };
  const deeds = some(context, DEEDS, count(random, 2, 24));
  const faults = some(context, FAULTS, chance(random, 0.15) ? 0 : count(random, 1, 8));
  const first: Event[] = SECRETS.flatMap((_, secret) =>
    chance(random, 0.6) ? [{ at: secret, kind: 'write', secret, line: line(random), commit: 1 } as const] : [],
  );
  return {
    seed,
    ends,
    workers: duel || chance(random, 0.7) ? 2 : 1,
    destinations: chance(random, 0.15) ? 2 : 1,
    unlabelled: chance(random, 0.5) ? 'gone' : 'kept',
    iam: chance(random, 0.3),
    openbao: chance(random, 0.5),
    deletes: chance(random, 0.4),
    sweepEvery: chance(random, 0.5) ? 24 * 60 * MINUTE : pick(random, [5 * MINUTE, 15 * MINUTE, 60 * MINUTE]),
    listingLag: chance(random, 0.5) ? 5 * MINUTE : 0,
    concurrency: pick(random, [1, 2, 16]),
    events: [...first, ...deeds, ...faults, ...(chance(random, 0.08) ? impatience(context) : [])].sort(
      (a, b) => a.at - b.at,
    ),
  };
}

/** An operator redrives before what is wrong was mended, and then once more. */
function impatience({ random, ends, hot }: Context): Event[] {
  const before = (ms: number) => Math.max(0, ends - ms);
  const written = { secret: hot, line: { lost: false, delay: 1, twice: false }, commit: 1 };
  return [
    { at: before(60 * SECOND), kind: 'forbid', ms: MINUTE },
    { at: before(between(random, 40, 59) * SECOND), kind: 'write', ...written },
    { at: before(between(random, 5, 30) * SECOND), kind: 'redrive' },
  ];
}

/** What two workers that hold the same secret get into each other's way with. */
const DUEL: ReadonlySet<string> = new Set([
  ...['write', 'again', 'burst', 'delete', 'undelete', 'purge', 'operator', 'aws:edit', 'aws:schedule'],
  ...['stall', 'crash', 'slow', 'lapse', 'standby'],
]);

/** A seed knows only some kinds: what is rare together with everything is common in a small company. */
function some<T extends Deed | Fault>(
  context: Context,
  makers: Readonly<Record<string, Maker<T>>>,
  n: number,
): (At & T)[] {
  const { random, ends, duel } = context;
  const share = between(random, 0.15, 0.9);
  const known = Object.entries(makers).filter(([name]) =>
    duel ? DUEL.has(name) : name === 'write' || chance(random, share),
  );
  const bunched = !duel && chance(random, 0.5);
  const center = between(random, 0, ends);
  if (known.length === 0) return [];
  return Array.from({ length: n }, () => {
    const [, make] = pick(random, known);
    const at = bunched
      ? Math.min(ends, Math.max(0, center + between(random, -1, 1) * spread(random, 10, MINUTE)))
      : between(random, 0, ends);
    return { at: Math.round(at * 10) / 10, ...make(context) };
  });
}
