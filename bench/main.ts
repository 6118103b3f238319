import { hold } from './hold.ts';
import { ingest } from './ingest.ts';
import { lag } from './lag.ts';
import { sweep } from './sweep.ts';

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = { hold, ingest, lag, sweep };

const usage = `Usage: npm run bench -- NAME

  hold  what the audit socket costs OpenBao: its writes beside those with a bare sink on the socket device; and the
        longest that a sender of audit lines waits while SQS is down or everything else is busy
  ingest
        how fast the audit socket takes lines in, and in how much memory, beside a reader that only counts bytes
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
