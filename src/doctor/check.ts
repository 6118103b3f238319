import { toReplicationError } from '../errors.ts';
import { type Diagnosis, type Finding, type Group, notChecked } from './finding.ts';

/** One entry of the list of checks. */
export interface Check<Probes> {
  readonly group: Group;
  /** Stands for the check where it could not be ended. */
  readonly name: string;
  readonly run: (probes: Probes) => Promise<readonly Finding[]>;
}

/** A check of what `look` gathers and `judge`, which is pure, makes of it. */
export const check = <Probes, Facts>(
  group: Group,
  name: string,
  look: (probes: Probes) => Promise<Facts>,
  judge: (facts: Facts) => readonly Finding[],
): Check<Probes> => ({ group, name, run: async (probes) => judge(await look(probes)) });

export interface Limits {
  /** Milliseconds that each check may take. */
  readonly within: number;
  /** Resolves after `ms`, or early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Runs the checks side by side; none waits for another, and one that fails or hangs is told of as not checked. */
export async function runChecks<Probes>(
  checks: readonly Check<Probes>[],
  probes: Probes,
  limits: Limits,
): Promise<readonly Diagnosis[]> {
  const found = await Promise.all(
    checks.map(async (one) => {
      const findings = await bounded(one, probes, limits);
      return findings.map((finding) => ({ group: one.group, ...finding }));
    }),
  );
  return found.flat();
}

async function bounded<Probes>(one: Check<Probes>, probes: Probes, limits: Limits): Promise<readonly Finding[]> {
  const over = new AbortController();
  const late = limits
    .sleep(limits.within, over.signal)
    .then(() => unfinished(one.name, `no answer within ${limits.within / 1000} s`));
  const done = one.run(probes).catch((error: unknown) => unfinished(one.name, toReplicationError(error).message));
  try {
    return await Promise.race([done, late]);
  } finally {
    over.abort();
  }
}

const unfinished = (check: string, found: string): readonly Finding[] => [notChecked(check, found)];
