import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { schedule } from './draw.ts';
import { run } from './run.ts';

export interface Failure {
  readonly seed: number;
  readonly violations: readonly string[];
}

export interface Progress {
  readonly done: number;
  readonly failures: readonly Failure[];
}

interface Share {
  readonly from: number;
  readonly count: number;
  readonly step: number;
}

interface Told {
  readonly seed: number;
  readonly violations: readonly string[];
}

/** Runs the seeds from `from` on, dealt out to so many threads; stops early once `enough` have failed. */
export async function runSeeds(
  from: number,
  count: number,
  threads: number,
  {
    enough = Number.POSITIVE_INFINITY,
    onProgress = () => undefined,
  }: { readonly enough?: number; readonly onProgress?: (progress: Progress) => void } = {},
): Promise<Progress> {
  const failures: Failure[] = [];
  let done = 0;
  const one = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const share: Share = { from: from + index, count, step: threads };
      const worker = new Worker(new URL(import.meta.url), { workerData: { ...share, end: from + count } });
      workers.push(worker);
      worker.on('message', ({ seed, violations }: Told) => {
        done += 1;
        if (violations.length > 0) failures.push({ seed, violations });
        onProgress({ done, failures });
        if (failures.length >= enough) for (const each of workers) void each.terminate();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  const workers: Worker[] = [];
  await Promise.all(Array.from({ length: threads }, (_, index) => one(index)));
  return { done, failures: failures.sort((a, b) => a.seed - b.seed) };
}

if (!isMainThread && parentPort !== null) {
  const { from, end, step } = workerData as Share & { readonly end: number };
  for (let seed = from; seed < end; seed += step) {
    const { violations } = await run(schedule(seed));
    parentPort.postMessage({ seed, violations } satisfies Told);
  }
}
