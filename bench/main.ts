import { lag } from './lag.ts';

const BENCHES: Readonly<Record<string, () => Promise<void>>> = { lag };

const usage = `Usage: npm run bench -- NAME

  lag   idle lag: from a write that OpenBao acknowledged to its value being AWSCURRENT, beside a bare script that makes
        the same calls one after the other in the same run
`;

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await bench();
}
