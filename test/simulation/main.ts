import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { schedule } from './draw.ts';
import { describe, run } from './run.ts';
import type { Schedule } from './schedule.ts';
import { runSeeds } from './seeds.ts';
import { shrink } from './shrink.ts';
import { seconds } from './world.ts';

const USAGE =
  'usage: npm run simulate -- [--seeds N] [--from S] [--threads N] [--keep-going] [--no-shrink] | --seed S [--trace] [--whole] | --seed S --seed T …';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
    'keep-going': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    seed: { type: 'string', multiple: true, default: [] },
    trace: { type: 'boolean', default: false },
    whole: { type: 'boolean', default: false },
  },
});

const number = (text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(USAGE);
  process.exit(2);
};

/** Prints what a seed does: its world, its events, and with `trace` every call and log line of the run. */
async function show(plan: Schedule, trace: boolean): Promise<void> {
  const { events, ...world } = plan;
  console.log(JSON.stringify(world));
  for (const event of events) console.log(`${seconds(event.at)} ${describe(event)}`);
  const { violations, steps } = await run(plan, trace ? (line) => console.log(line) : undefined);
  console.log(`${steps} steps${violations.length === 0 ? ', nothing violated' : ''}`);
  for (const violation of violations) console.log(`VIOLATED ${violation}`);
}

/** Runs one seed; where it fails, leaves out what the failure does not need. */
async function one(seed: number): Promise<boolean> {
  const plan = schedule(seed);
  const { violations } = await run(plan);
  const [first] = violations;
  if (first === undefined || values.whole) {
    await show(plan, values.trace);
    return first === undefined;
  }
  console.log(`seed ${seed} fails: ${first}`);
  console.log('the schedule without what it does not need:');
  await show(await shrink(plan, first), values.trace);
  return false;
}

/** Runs just these seeds, and tells only of those that fail. */
async function these(seeds: readonly number[]): Promise<boolean> {
  let failed = 0;
  for (const seed of seeds) {
    const [first] = (await run(schedule(seed))).violations;
    if (first === undefined) continue;
    failed += 1;
    console.log(`seed ${seed}: ${first}`);
  }
  console.log(`${seeds.length} seeds, ${failed} failed`);
  return failed === 0;
}

async function many(): Promise<boolean> {
  const [seeds, from, threads] = [number(values.seeds), number(values.from), number(values.threads)];
  const began = performance.now();
  let shown = began;
  let told = 0;
  const { done, failures } = await runSeeds(from, seeds, threads, {
    enough: values['keep-going'] ? Number.POSITIVE_INFINITY : 1,
    onProgress({ done: now, failures: found }) {
      for (const { seed, violations } of found.slice(told)) console.log(`seed ${seed}: ${violations[0]}`);
      told = found.length;
      if (performance.now() - shown < 5_000) return;
      shown = performance.now();
      console.log(`${now} of ${seeds} seeds, ${found.length} failed, ${((shown - began) / now).toFixed(1)} ms each`);
    },
  });
  console.log(`${done} seeds in ${((performance.now() - began) / 1000).toFixed(1)} s, ${failures.length} failed`);
  const [first] = failures;
  if (first !== undefined && !values['no-shrink']) {
    await one(first.seed);
    console.log(`again, with every call: npm run simulate -- --seed ${first.seed} --trace`);
  }
  return failures.length === 0;
}

/** A single seed is told in full. */
function asAsked(): Promise<boolean> {
  const [seed, ...more] = values.seed.map(number);
  if (seed === undefined) return many();
  return more.length === 0 && !values['no-shrink'] ? one(seed) : these([seed, ...more]);
}

process.exitCode = (await asAsked()) ? 0 : 1;
