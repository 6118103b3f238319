import { lag } from './lag.ts';
import { sweep } from './sweep.ts';

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = { lag, sweep };

const usage = `Usage: npm run bench -- NAME

  lag   idle lag: from a write that OpenBao acknowledged to its value being AWSCURRENT, beside a bare script that makes
        the same calls one after the other in the same run
  sweep [--secrets 10000]
        a sweep of secrets that are all in sync, beside a loop that lists and asks for one secret after the other; with
        more than 20000 the sweep alone, for its memory
`;

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await bench(process.argv.slice(3));
}
