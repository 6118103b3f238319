import t from 'tap';
import { type FileCoverage, judge } from './coverage.ts';

const whole: FileCoverage = { lines: { covered: 10, total: 10 }, branches: { covered: 4, total: 4 } };
const lineShort: FileCoverage = { ...whole, lines: { covered: 9, total: 10 } };
const branchShort: FileCoverage = { ...whole, branches: { covered: 3, total: 4 } };
const floor = { lines: 90, branches: 75 };

t.test('pure files must be covered whole', async (t) => {
  t.strictSame(judge(new Map([['src/audit/lines.ts', whole]]), floor).problems, []);
  t.strictSame(judge(new Map([['src/audit/lines.ts', lineShort]]), floor).problems, [
    'src/audit/lines.ts: 90 % of lines, 100 % of branches, and 100 % is needed',
  ]);
  t.match(judge(new Map([['src/queue/message.ts', branchShort]]), floor).problems, [/75 % of branches/]);
});

t.test('the rest may not fall below the floor', async (t) => {
  const files = new Map([
    ['src/queue/sqs.ts', lineShort],
    ['src/worker/look.ts', branchShort],
  ]);
  t.strictSame(judge(files, floor), { problems: [], rest: { lines: 95, branches: 87.5 } });
  t.strictSame(judge(files, { lines: 95, branches: 88 }).problems, [
    'all other files: 87.5 % of branches, below the floor of 88 %',
  ]);
});

t.test('figures are rounded down, and no files are no problem', async (t) => {
  const third: FileCoverage = { ...whole, lines: { covered: 2, total: 3 } };
  t.strictSame(judge(new Map([['src/cli.ts', third]]), floor).rest, { lines: 66.6, branches: 100 });
  t.strictSame(judge(new Map(), floor), { problems: [], rest: { lines: 100, branches: 100 } });
});
