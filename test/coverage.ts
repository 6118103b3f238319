import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './servers/root.ts';

/** Covered and all, of one file or of several. */
interface Share {
  readonly covered: number;
  readonly total: number;
}

export interface FileCoverage {
  readonly lines: Share;
  readonly branches: Share;
}

/** Percent of lines and branches. */
export interface Figures {
  readonly lines: number;
  readonly branches: number;
}

export interface Judgement {
  /** What is wrong, each a line for people; empty when all is well. */
  readonly problems: readonly string[];
  /** Of everything that is not pure. */
  readonly rest: Figures;
}

/** Folders (with their slash) and files that do no input or output of their own: nothing of them goes untested. */
const PURE = [
  'src/audit/',
  'src/replicate/',
  'src/config/',
  'src/queue/message.ts',
  'src/queue/check.ts',
  'src/worker/verdict.ts',
  'src/worker/park.ts',
  'src/worker/strikes.ts',
  'src/worker/tries.ts',
  'src/worker/places.ts',
  'src/sweep/deletion.ts',
  'src/sweep/drift.ts',
  'src/sweep/report.ts',
  'src/doctor/checks/',
  'src/doctor/finding.ts',
  'src/doctor/vault-policy.ts',
  'src/dead-letters/advice.ts',
  'src/dead-letters/letter.ts',
  'src/dead-letters/redrive.ts',
  'src/dead-letters/select.ts',
  'src/json-text.ts',
  'src/backoff.ts',
  'src/limiter.ts',
  'src/bearer.ts',
  'src/errors.ts',
  'src/sensitive.ts',
];

const isPure = (file: string): boolean =>
  PURE.some((pure) => (pure.endsWith('/') ? file.startsWith(pure) : file === pure));

/** Pure files must be covered whole, the rest together no worse than the floor. `files` by path below the root. */
export function judge(files: ReadonlyMap<string, FileCoverage>, floor: Figures): Judgement {
  const problems: string[] = [];
  const others: FileCoverage[] = [];
  for (const [file, coverage] of files) {
    if (!isPure(file)) others.push(coverage);
    else if (!isWhole(coverage)) problems.push(`${file}: ${told(percentages([coverage]))}, and 100 % is needed`);
  }
  const rest = percentages(others);
  for (const kind of ['lines', 'branches'] as const) {
    if (rest[kind] < floor[kind])
      problems.push(`all other files: ${rest[kind]} % of ${kind}, below the floor of ${floor[kind]} %`);
  }
  return { problems, rest };
}

const isWhole = ({ lines, branches }: FileCoverage): boolean =>
  lines.covered === lines.total && branches.covered === branches.total;

const told = ({ lines, branches }: Figures): string => `${lines} % of lines, ${branches} % of branches`;

function percentages(files: readonly FileCoverage[]): Figures {
  const percent = (kind: keyof FileCoverage): number => {
    const sum = (part: keyof Share): number => files.reduce((all, file) => all + file[kind][part], 0);
    // Rounded down, so that a floor that was written is a floor that is met.
    return sum('total') === 0 ? 100 : Math.floor((1000 * sum('covered')) / sum('total')) / 10;
  };
  return { lines: percent('lines'), branches: percent('branches') };
}

/** What tap measured (its json-summary report), with the files that no test has loaded as not covered at all. */
function readCoverage(root: string): Map<string, FileCoverage> {
  const path = join(root, '.tap/report/coverage-summary.json');
  if (!existsSync(path)) throw new Error('There is no coverage report: run npm test first.');
  const summary = JSON.parse(readFileSync(path, 'utf8')) as Record<string, FileCoverage>;
  const measured = new Map(Object.entries(summary).map(([file, coverage]) => [relative(root, file), coverage]));
  return new Map(
    sources(root)
      .filter((file) => measured.has(file) || hasCode(root, file))
      .map((file) => [file.split(sep).join('/'), measured.get(file) ?? uncovered(root, file)]),
  );
}

const sources = (root: string): string[] =>
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('src', file))
    .sort();

/** A file of types alone compiles to nothing, and nothing ever loads it. */
function hasCode(root: string, file: string): boolean {
  const compiled = join(root, 'build', file.replace(/\.ts$/, '.js'));
  return (
    !existsSync(compiled) ||
    readFileSync(compiled, 'utf8')
      .replace(/^\/\/.*$/gm, '')
      .trim() !== 'export {};'
  );
}

const uncovered = (root: string, file: string): FileCoverage => ({
  lines: { covered: 0, total: readFileSync(join(root, file), 'utf8').split('\n').length },
  branches: { covered: 0, total: 1 },
});

/** Prints the figures; exit code 1 where they do not do. `--record` makes the rest's present figures the floor. */
function main(args: readonly string[]): number {
  const root = projectRoot();
  const path = join(root, 'test/coverage-floor.json');
  const coverage = readCoverage(root);
  if (args.includes('--record')) writeFileSync(path, floorText(judge(coverage, { lines: 0, branches: 0 }).rest));
  const { problems, rest } = judge(coverage, JSON.parse(readFileSync(path, 'utf8')) as Figures);
  for (const problem of problems) process.stderr.write(`coverage: ${problem}\n`);
  process.stdout.write(`coverage: ${problems.length} problems; outside the pure files ${told(rest)}\n`);
  if (problems.length === 0) return 0;
  process.stderr.write('Which lines: npx tap report text. New floor for the rest: npm run coverage -- --record\n');
  return 1;
}

const floorText = ({ lines, branches }: Figures): string => `{ "lines": ${lines}, "branches": ${branches} }\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
