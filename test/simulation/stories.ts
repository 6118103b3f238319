import { MINUTE, SECOND } from './kinds.ts';
import { between, chance, count, pick, type Random, spread } from './random.ts';
import { type Event, type Line, MOUNTS, OPERATIONS, type Schedule, SECRETS } from './schedule.ts';

/** What chance alone brings together too rarely: the events of a seed, and what its world must be like for them. */
export type Story = Partial<Omit<Schedule, 'seed'>> & Pick<Schedule, 'ends' | 'events'>;

const PROMPT: Line = { lost: false, delay: 1, twice: false };
const write = (at: number, secret: number): Event => ({ at, kind: 'write', secret, line: PROMPT, commit: 1 });

/** A mount is replaced between the two reads that a look at one of its secrets makes. */
function replacedWhileRead(random: Random): Story {
  const events = SECRETS.flatMap(({ mount }, secret): Event[] => {
    const began = (secret + 1) * MINUTE;
    const remount = {
      kind: 'remount',
      mount: MOUNTS.indexOf(mount),
      kv: chance(random, 0.5) ? 1 : 2,
      line: PROMPT,
    } as const;
    return [
      write(secret, secret),
      { at: began, kind: 'slow', port: 'vault', of: 'GET', calls: count(random, 1, 3), side: 'before', ms: slowness() },
      { at: began + 1, kind: 'operator', secret },
      { at: began + between(random, 10, 800), ...remount, away: spread(random, 1, 300) },
    ];
  });
  function slowness(): number {
    return between(random, 0.3, 4.5) * SECOND;
  }
  return { ends: 5 * MINUTE, workers: 1, events };
}

/** A secret is written again while the sweep is held up that would delete its copy, or that finds it too early for that. */
function writtenWhileDeleted(random: Random): Story {
  const secret = count(random, 0, SECRETS.length - 1);
  const rounds = [0, 1, 2].flatMap((round): Event[] => {
    const began = round * 9 * MINUTE + 20 * SECOND;
    const swept = began + (chance(random, 0.3) ? between(random, 1, 4.5) : between(random, 5.2, 7)) * MINUTE;
    return [
      { at: began, kind: 'delete', secret, line: PROMPT },
      { at: swept, kind: 'sweep' },
      ...(chance(random, 0.5) ? slowAws(swept) : stalls(swept)),
      write(swept + spread(random, 300, 8 * SECOND), secret),
    ];
  });
  function slowAws(at: number): Event[] {
    const ms = between(random, 1, 20) * SECOND;
    return [{ at, kind: 'slow', port: 'aws', calls: count(random, 1, 2), side: pick(random, ['before', 'after']), ms }];
  }
  function stalls(at: number): Event[] {
    const stall = { kind: 'stall', of: 'GET', side: 'after', calls: count(random, 4, 16), slow: 0 } as const;
    const ms = between(random, 11, 50) * SECOND;
    return [0, 1].map((worker) => ({ at, ...stall, worker, ms }));
  }
  const events = [write(0, secret), ...rounds];
  return { ends: 28 * MINUTE, workers: 2, deletes: chance(random, 0.8), sweepEvery: 24 * 60 * MINUTE, events };
}

/** Two workers hold the same secret of a KV v1 mount, which has no versions to tell old from new by. */
function duelWithoutVersions(random: Random): Story {
  const secret = count(random, 0, SECRETS.length - 1);
  const mount = MOUNTS.indexOf((SECRETS[secret] ?? SECRETS[0]).mount);
  const ends = between(random, 1, 4) * MINUTE;
  const at = () => between(random, SECOND, ends);
  const some = (most: number, make: () => Event) => Array.from({ length: count(random, 1, most) }, make);
  const events: Event[] = [
    { at: 1, kind: 'remount', mount, away: 10, kv: 1, line: PROMPT },
    ...some(8, () => write(at(), secret)),
    ...some(3, () => ({
      at: at(),
      kind: 'burst',
      secret,
      writes: count(random, 2, 5),
      every: spread(random, 5, SECOND),
    })),
    ...some(3, () => ({ at: at(), kind: 'aws:edit', secret })),
    ...some(5, () => ({ at: at(), kind: 'lapse', times: count(random, 1, 4), every: spread(random, 20, 2 * SECOND) })),
    ...some(5, () => ({
      ...{ at: at(), kind: 'slow', port: 'vault', of: pick(random, OPERATIONS), calls: count(random, 1, 3) },
      ...{ side: pick(random, ['before', 'after']), ms: spread(random, 100, 5 * SECOND) },
    })),
  ];
  return { ends, workers: 2, destinations: chance(random, 0.3) ? 2 : 1, events };
}

/**
 * Secrets Manager answers one worker late when it is asked for the copy of a KV v1 secret, and another, which got its
 * messages meanwhile, copies a newer value: the first one must not have read Vault before.
 */
function describedLate(random: Random): Story {
  const secret = count(random, 0, SECRETS.length - 1);
  const mount = MOUNTS.indexOf((SECRETS[secret] ?? SECRETS[0]).mount);
  const rounds = [1, 2, 3].flatMap((round): Event[] => {
    const began = round * MINUTE;
    const ms = between(random, 3, 9) * SECOND;
    return [
      { at: began, kind: 'slow', port: 'aws', of: 'DescribeSecret', calls: 1, side: 'before', ms },
      write(began + 1, secret),
      write(began + between(random, 0.2, 1) * SECOND, secret),
      { at: began + between(random, 1, 2) * SECOND, kind: 'lapse', times: 2, every: SECOND / 2 },
    ];
  });
  const replaced: Event = { at: 1, kind: 'remount', mount, away: 10, kv: 1, line: PROMPT };
  return { ends: 5 * MINUTE, workers: 2, events: [replaced, write(10 * SECOND, secret), ...rounds] };
}

/** Vault refuses listings while a sweep is at work, and a line was lost. */
function refusedListings(random: Random): Story {
  const secret = count(random, 0, SECRETS.length - 1);
  const rounds = [1, 2, 3].flatMap((round): Event[] => {
    const swept = round * 5 * MINUTE;
    const forbidden = swept + between(random, -200, 200);
    return [
      { at: swept - 30 * SECOND, kind: 'write', secret, line: { ...PROMPT, lost: true }, commit: 1 },
      { at: swept, kind: 'sweep' },
      { at: forbidden, kind: 'forbid', ms: spread(random, SECOND, MINUTE) },
    ];
  });
  return { ends: 20 * MINUTE, sweepEvery: 24 * 60 * MINUTE, events: [write(0, secret), ...rounds] };
}

/** A worker is held up at its promotion, and another, which got its messages meanwhile, overtakes it. */
function overtaken(random: Random): Story {
  const secret = count(random, 0, SECRETS.length - 1);
  const rounds = [1, 2, 3].flatMap((round): Event[] => {
    const began = round * 2 * MINUTE;
    const lapsed = began + between(random, 50, 500);
    return [
      write(began, secret),
      ...(chance(random, 0.5) ? slowSwap(began) : stalls(began)),
      { at: lapsed, kind: 'lapse', times: 2, every: SECOND },
      chance(random, 0.6)
        ? write(lapsed + spread(random, 1, SECOND), secret)
        : { at: lapsed + spread(random, 1, SECOND), kind: 'delete', secret, line: PROMPT },
    ];
  });
  function slowSwap(at: number): Event[] {
    const slow = { kind: 'slow', port: 'aws', of: 'UpdateSecretVersionStage', calls: 1, side: 'before' } as const;
    return [{ at, ...slow, ms: between(random, 0.5, 5) * SECOND }];
  }
  function stalls(at: number): Event[] {
    const of = pick(random, ['PutSecretValue', 'UpdateSecretVersionStage'] as const);
    const side = of === 'PutSecretValue' ? 'after' : 'before';
    const ms = between(random, 2, 40) * SECOND;
    return [{ at, kind: 'stall', of, side, calls: 1, slow: 0, worker: count(random, 0, 1), ms }];
  }
  return { ends: 8 * MINUTE, workers: 2, concurrency: 2, events: [write(0, secret), ...rounds] };
}

/** Several secrets of a mount go at once, and with them more copies than a sweep may delete unasked. */
function goneTogether(random: Random): Story {
  const began = 20 * SECOND;
  const all = SECRETS.map((_, secret) => secret);
  const events: Event[] = [
    ...all.map((secret) => write(secret, secret)),
    ...all.map(
      (secret): Event => ({ at: began + between(random, 0, 9) * SECOND, kind: 'delete', secret, line: PROMPT }),
    ),
    ...[6, 8].map((minute): Event => ({ at: began + (minute + between(random, 0, 1)) * MINUTE, kind: 'sweep' })),
  ];
  return { ends: 10 * MINUTE, deletes: true, sweepEvery: 24 * 60 * MINUTE, events };
}

/** A deletion is under way for seconds, and meanwhile the secret is written and its copy is, too. */
function deletionOvertaken(random: Random): Story {
  const secret = count(random, 0, SECRETS.length - 1);
  const rounds = [0, 1].flatMap((round): Event[] => {
    const began = round * 9 * MINUTE + 20 * SECOND;
    const swept = began + between(random, 5.2, 7) * MINUTE;
    const slow = { kind: 'slow', port: 'aws', of: 'DeleteSecret', calls: 1, side: 'before' } as const;
    return [
      { at: began, kind: 'delete', secret, line: PROMPT },
      { at: swept, ...slow, ms: between(random, 2, 13) * SECOND },
      { at: swept, kind: 'sweep' },
      write(swept + spread(random, SECOND, 8 * SECOND), secret),
    ];
  });
  return { ends: 19 * MINUTE, deletes: true, sweepEvery: 24 * 60 * MINUTE, events: [write(0, secret), ...rounds] };
}

/** One secret is written every few seconds for minutes. */
function writtenAllTheTime(random: Random): Story {
  const secret = count(random, 0, SECRETS.length - 1);
  const every = between(random, 1, 4) * SECOND;
  const burst = { kind: 'burst', secret, writes: count(random, 60, 120), every } as const;
  return { ends: 10 * MINUTE, sweepEvery: 24 * 60 * MINUTE, events: [write(0, secret), { at: SECOND, ...burst }] };
}

const STORIES = [replacedWhileRead, writtenWhileDeleted, duelWithoutVersions, refusedListings];

/** Those that were thought of later: each has its own share, so that the seeds of the others stay what they are. */
const RARER = [
  { below: 0.2, story: overtaken },
  { below: 0.215, story: goneTogether },
  { below: 0.23, story: writtenAllTheTime },
  { below: 0.245, story: deletionOvertaken },
  { below: 0.26, story: describedLate },
];

/** The story of a seed, where it has one. */
export function storyOf(random: Random): Story | undefined {
  const share = random();
  const teller = share < 0.15 ? pick(random, STORIES) : RARER.find(({ below }) => share < below)?.story;
  if (teller === undefined) return undefined;
  const story = teller(random);
  return { ...story, events: story.events.toSorted((a, b) => a.at - b.at) };
}
