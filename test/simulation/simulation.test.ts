import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../servers/root.ts';

const SEEDS = 2_000;

// A minute on two quiet cores, and several on busy ones.
t.setTimeout(900_000);

t.test(`${SEEDS} seeds keep every promise`, async (t) => {
  const main = join(projectRoot(), 'build/test/simulation/main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build:dev first.`);
  const { code, output } = await simulate(main, ['--seeds', String(SEEDS), '--threads', '2']);
  t.match(output, `${SEEDS} seeds in `);
  t.equal(code, 0, output.split('\n').slice(-40).join('\n'));
});

t.test('a seed runs the same each time', async (t) => {
  const main = join(projectRoot(), 'build/test/simulation/main.js');
  const [one, other] = await Promise.all([1, 2].map(() => simulate(main, ['--seed', '7', '--whole', '--trace'])));
  t.ok((one?.output.length ?? 0) > 10_000);
  t.equal(one?.output, other?.output);
});

function simulate(main: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { timeout: 880_000, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` }),
    );
  });
}
