import { run } from './run.ts';
import type { Schedule } from './schedule.ts';

/** The kind of a violation: what it says before the first colon. */
const kindOf = (violation: string | undefined): string => (violation ?? '').split(':')[0] ?? '';

/**
 * The schedule with as few events as still break the same promise. Each is left out in turn, last first, until none can
 * be; `runs` bounds the work.
 */
export async function shrink(schedule: Schedule, violation: string, runs = 600): Promise<Schedule> {
  const wanted = kindOf(violation);
  let smallest = schedule;
  let left = runs;
  const fails = async (candidate: Schedule) => {
    left -= 1;
    const { violations } = await run(candidate);
    return kindOf(violations[0]) === wanted;
  };
  const attempt = async (candidate: Schedule): Promise<boolean> => {
    if (left <= 0 || !(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  for (let size = Math.ceil(schedule.events.length / 2); size >= 1 && left > 0; ) {
    let removed = false;
    for (let end = smallest.events.length; end > 0 && left > 0; end -= size) {
      const start = Math.max(0, end - size);
      const events = smallest.events.filter((_, index) => index < start || index >= end);
      removed = (await attempt({ ...smallest, events })) || removed;
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  for (const simpler of [
    { workers: 1 },
    { destinations: 1 },
    { iam: false },
    { listingLag: 0 },
    { concurrency: 1 },
    { sweepEvery: 86_400_000 },
  ] as const) {
    await attempt({ ...smallest, ...simpler });
  }
  return smallest;
}
