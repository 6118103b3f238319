import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emit } from './emit.ts';
import type { Mutation } from './mutations.ts';

export interface Caught {
  /** What the simulator said; undefined when it noticed nothing. */
  readonly violation: string | undefined;
  /** Seeds that were run. */
  readonly seeds: number;
}

/** A folder for mutated copies, and its removal. */
export function workshop() {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vf-mutations-'));
  let copies = 0;
  return {
    close: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
    /** Runs seeds over a copy of `root`'s sources with that mistake in it, until one fails. */
    async trial(root: string, mutation: Mutation, seeds: number): Promise<Caught> {
      copies += 1;
      const copy = join(folder, String(copies));
      mkdirSync(copy);
      emit(root, copy, [mutation, ...(mutation.also ?? [])]);
      const output = await simulate(join(copy, 'test/simulation/main.js'), seeds);
      rmSync(copy, { recursive: true, force: true });
      return {
        violation: /^seed \d+: (.*)$/m.exec(output)?.[1],
        seeds: Number(/^(\d+) seeds in/m.exec(output)?.[1] ?? Number.NaN),
      };
    },
  };
}

/** Both streams of a run; it exits with 1 where a seed fails, and is killed where a mistake makes it run for ever. */
const simulate = (main: string, seeds: number): Promise<string> =>
  new Promise((resolve) => {
    const args = [main, '--seeds', String(seeds), '--no-shrink'];
    execFile(process.execPath, args, { timeout: 300_000 }, (_, stdout, stderr) => resolve(`${stdout}${stderr}`));
  });
