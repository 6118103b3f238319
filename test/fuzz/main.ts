import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { bodies } from './bodies.ts';
import { renderings } from './json.ts';
import { fuzzLines } from './lines.ts';
import { streams } from './stream.ts';

/**
 * `npm run fuzz -- [--seconds N] [--lines N] [--seed N]`: ten million mutated audit lines, or as many as asked, which
 * take some minutes; then the same properties as the tests', for a minute, or as long as asked.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    lines: { type: 'string', default: '10000000' },
    seed: { type: 'string' },
  },
});
const numbers = [values.seconds, values.lines, values.seed ?? String(randomInt(2 ** 31))].map(Number);
const [seconds = Number.NaN, lines = Number.NaN, first = Number.NaN] = numbers;
if (!(seconds >= 0) || !Number.isSafeInteger(lines) || !Number.isSafeInteger(first)) {
  throw new Error('usage: npm run fuzz -- [--seconds N] [--lines N] [--seed N]');
}

if (lines > 0) {
  const began = performance.now();
  console.log(`fuzzing ${lines} lines, seed ${first}`);
  await fuzzLines(lines, first, (done) => {
    const rate = done / ((performance.now() - began) / 1000);
    console.log(`${done} lines, ${rate.toFixed(0)} a second, ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`);
  });
}

/** Few enough that no round is long. */
const RUNS = 200;
const PROPERTIES = { streams, bodies, renderings } as const;
const until = performance.now() + seconds * 1000;
let runs = 0;
console.log(`fuzzing for ${seconds} s, seed ${first}`);
for (let seed = first; process.exitCode === undefined && performance.now() < until; seed += 1) {
  for (const [name, property] of Object.entries(PROPERTIES)) {
    const property_: fc.IRawProperty<unknown> = property as fc.IRawProperty<unknown>;
    const result = await fc.check(property_, {
      seed,
      numRuns: RUNS,
      interruptAfterTimeLimit: until - performance.now(),
    });
    runs += result.numRuns;
    if (!result.failed || result.interrupted) continue;
    console.error(`${name} failed. Again: npm run fuzz -- --seed ${seed}\n${fc.defaultReportMessage(result)}`);
    process.exitCode = 1;
  }
}
console.log(`${runs} runs${process.exitCode === undefined ? ', nothing found' : ''}`);
