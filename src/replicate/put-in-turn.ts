import type { Clock } from '../clock.ts';
import { ReplicationError } from '../errors.ts';
import type { Destination } from './destination.ts';
import { counts, nextTurn } from './version-budget.ts';

/** From so many known versions of a day on, they are counted at AWS before each put: others may put some too. */
const COUNT_FROM = 19;
/** Secrets whose versions are remembered; past it, what was put longest ago is forgotten. */
const MAX_SECRETS = 10_000;
/** The least wait after a refusal: what AWS counts is not what it tells, in seconds. */
const REFUSED_FOR = 300;

export interface VersionBudget {
  /** Seconds until it is worth asking again whether a version may be put; 0: it may, now. Throws what the count throws. */
  before(arn: string): Promise<number>;
  /** A version was put, or may have been. */
  put(arn: string): void;
  /** Secrets Manager took no more versions: seconds to wait. */
  refused(arn: string): Promise<number>;
}

/**
 * The versions of each secret, in this process's memory. A process that begins knows of none, and other workers put
 * some too: `count` (times of all versions, in ms since the epoch) is asked where it matters.
 */
export function createVersionBudget(
  clock: Pick<Clock, 'now' | 'monotonic'>,
  count: (arn: string) => Promise<readonly number[]>,
): VersionBudget {
  /** Times in ms of the monotonic clock; what was put or counted last comes last. */
  const known = new Map<string, readonly number[]>();
  const timesOf = (arn: string): readonly number[] => {
    const now = clock.monotonic();
    return (known.get(arn) ?? []).filter((time) => counts(time, now));
  };
  const keep = (arn: string, times: readonly number[]) => {
    known.delete(arn);
    known.set(arn, times);
    for (const oldest of known.keys()) {
      if (known.size <= MAX_SECRETS && timesOf(oldest).length > 0) break;
      known.delete(oldest);
    }
  };
  const recount = async (arn: string) => {
    const told = await count(arn).catch(noneIfForbidden);
    const ahead = clock.now() - clock.monotonic();
    const there = told.map((time) => Math.min(time - ahead, clock.monotonic()));
    keep(arn, laterOfEach(known.get(arn) ?? [], there));
  };
  const wait = (arn: string) => Math.ceil(nextTurn(known.get(arn) ?? [], clock.monotonic()) / 1000);
  return {
    async before(arn) {
      const seconds = wait(arn);
      if (seconds > 0 || timesOf(arn).length < COUNT_FROM) return seconds;
      await recount(arn);
      return wait(arn);
    },
    put(arn) {
      keep(arn, [...timesOf(arn), clock.monotonic()]);
    },
    async refused(arn) {
      await recount(arn);
      return Math.max(wait(arn), REFUSED_FOR);
    },
  };
}

/** The later of the n-th newest of both: what one has missed, the other knows, and no version counts twice. */
function laterOfEach(a: readonly number[], b: readonly number[]): readonly number[] {
  const [more, fewer] = a.length < b.length ? [newestFirst(b), newestFirst(a)] : [newestFirst(a), newestFirst(b)];
  return more.map((time, nth) => Math.max(time, fewer[nth] ?? time));
}

const newestFirst = (times: readonly number[]) => times.toSorted((a, b) => b - a);

/** A policy may lack the permission, and what this process put itself is then all that it knows. */
function noneIfForbidden(error: unknown): readonly number[] {
  if (codeOf(error) === 'destination_forbidden') return [];
  throw error;
}

/**
 * A destination whose puts wait for their turn, secret by secret: one whose turn has not come is version_budget, a hold
 * that says when to look again. The look that follows reads Vault anew, so that the turn goes to the newest value.
 */
export function puttingInTurn(destination: Destination, budget: VersionBudget): Destination {
  return {
    ...destination,
    async put(arn, versionId, value, errand) {
      const seconds = await budget.before(arn);
      if (seconds > 0) throw notYet(arn, seconds);
      try {
        await destination.put(arn, versionId, value, errand);
      } catch (error) {
        if (codeOf(error) === 'version_budget') throw notYet(arn, await budget.refused(arn), error);
        if (codeOf(error) === 'destination_unavailable') budget.put(arn); // it may have arrived
        throw error;
      }
      budget.put(arn);
    },
  };
}

const codeOf = (error: unknown) => (error instanceof ReplicationError ? error.code : undefined);

const notYet = (arn: string, seconds: number, cause?: unknown) =>
  new ReplicationError(
    'version_budget',
    `${arn} has had too many versions of late (Secrets Manager keeps each for a day, and about 100): its newest value waits for its turn, and is looked at again in ${seconds} s`,
    cause,
    seconds,
  );
