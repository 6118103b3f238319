import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emit, emitChanged } from './emit.ts';
import type { Mutation } from './mutations.ts';

/** A seed that failed, and what the simulator said. */
export interface Caught {
  readonly seed: number;
  readonly violation: string;
}

/** Longer than any run of seeds takes, in ms: a mistake may make it run for ever. */
const LONGEST = 600_000;

/** A folder for copies of `root`'s sources, mutated and not; `close` removes it. */
export function workshop(root: string) {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vf-mutations-'));
  const unchanged = join(folder, 'unchanged');
  emit(root, unchanged);
  let copies = 0;
  const simulate = async (mutation: Mutation, args: readonly string[]): Promise<readonly Caught[]> => {
    copies += 1;
    const copy = join(folder, String(copies));
    emitChanged(root, unchanged, copy, [mutation, ...(mutation.also ?? [])]);
    const caught = failures(await output(copy, [...args, '--no-shrink']));
    rmSync(copy, { recursive: true, force: true, maxRetries: 5 });
    return caught;
  };
  return {
    close: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
    /** Which of the seeds fail with the mistake. */
    all: (mutation: Mutation, seeds: readonly number[]) => simulate(mutation, oneByOne(seeds)),
    /** Runs so many seeds with the mistake, until one breaks a promise that it is said to break. */
    async find(mutation: Mutation, from: number, seeds: number): Promise<Caught | undefined> {
      for (let next = from; next < from + seeds; ) {
        const [caught] = await simulate(mutation, ['--from', String(next), '--seeds', String(from + seeds - next)]);
        if (caught === undefined || breaksWhatIsSaid(mutation, caught)) return caught;
        next = caught.seed + 1;
      }
      return undefined;
    },
    /** Which of the seeds fail without any mistake. */
    failing: async (seeds: readonly number[]) => failures(await output(unchanged, [...oneByOne(seeds), '--no-shrink'])),
  };
}

export const breaksWhatIsSaid = ({ breaks }: Mutation, { violation }: Caught): boolean =>
  breaks.includes(Number(/^promise (\d)/.exec(violation)?.[1]));

const oneByOne = (seeds: readonly number[]) => seeds.flatMap((seed) => ['--seed', String(seed)]);

const failures = (text: string): readonly Caught[] =>
  [...text.matchAll(/^seed (\d+): (.*)$/gm)].map(([, seed, violation = '']) => ({ seed: Number(seed), violation }));

/** What it prints; it exits with 1 where a seed fails. Throws where it did not come to its end. */
const output = (copy: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const main = join(copy, 'test/simulation/main.js');
    execFile(process.execPath, [main, ...args], { timeout: LONGEST }, (error, stdout, stderr) => {
      if (/^\d+ seeds.*failed$/m.test(stdout)) resolve(stdout);
      else reject(new Error(`the simulator broke off: ${stderr.slice(-2_000)}`, { cause: error }));
    });
  });
