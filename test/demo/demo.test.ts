import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isAlive } from '../servers/lock.ts';
import { projectRoot } from '../servers/root.ts';
import { until } from '../servers/until.ts';
import { STEPS } from './steps.ts';
import { VALUES } from './values.ts';

interface Demo {
  readonly child: ChildProcess;
  /** Where it makes its own folder. */
  readonly temporary: string;
  /** Both streams so far. */
  readonly output: () => string;
  readonly exit: Promise<unknown[]>;
}

function startDemo(t: Test, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Demo {
  const main = join(projectRoot(), 'build/test/demo/main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build:dev first.`);
  // Not below t.testdir(): the path of a unix socket is 104 bytes at most, and the checkout may lie deep.
  const temporary = mkdtempSync(join(realpathSync(tmpdir()), 'vf-'));
  t.teardown(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }));
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '', TMPDIR: temporary, ...env },
  });
  t.teardown(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { child, temporary, output: () => text, exit: once(child, 'close') };
}

/** Throws with all that was said so far, so that a wait that was in vain shows where it stuck. */
function says(output: string, text: string): true {
  if (output.includes(text)) return true;
  throw new Error(`it says only:\n${output}`);
}

type Row = readonly [pid: number, parent: number];

/** The process ids below `parent`, grandchildren included. */
function descendants(parent: number): number[] {
  const rows = existsSync('/proc/self/stat') ? processesOfProc() : processesOfPs();
  const below = (pid: number): number[] =>
    rows.flatMap(([child, above]) => (above === pid ? [child, ...below(child)] : []));
  return below(parent);
}

/** Slim images have no ps. */
const processesOfProc = (): Row[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => [Number(pid), parentOf(pid)]);

/** The program's name, in parentheses, may hold anything; the state and the parent follow it. 0 for one that is gone. */
function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
  } catch {
    return 0;
  }
}

function processesOfPs(): Row[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    return [pid, parent];
  });
}

const allGone = (pids: readonly number[]): Promise<boolean> =>
  until(() => pids.every((pid) => !isAlive(pid)), { what: 'every process of the demo to be gone' });

/** What the real commands print on the way, in part. */
const LINES = [
  /^ {2}\w{8} .* value_too_large +1 {2}hybrid-aws-secrets\/app\/chain -> default$/m,
  /^ {2}do {5}Split the secret in Vault/m,
  /^ {2}\w{8} .* not_owned +1 {2}hybrid-aws-secrets\/app\/api -> default$/m,
  /^letters .* 2 letters, told why$/m,
  /^ {2}2 letters redriven$/m,
  /dlq list\n {2}no dead letters\n {2}✓ .*: AWSCURRENT is v1-/,
  /^ {2}hybrid-aws-secrets\/app\/api +default +in sync +v1 +v1 /m,
  /^ {2}hybrid-aws-secrets\/app\/chain +default +in sync +v2 +v2 /m,
  /^ {2}hybrid-aws-secrets\/app\/db +default +in sync +v4 +v4 /m,
  /^too large .* letter: value_too_large$/m,
  /^name taken .* letter: not_owned$/m,
  /^redrive .* DLQ empty$/m,
  /^status .* 3 of 3 secrets in sync$/m,
];

t.test('it shows every step, no value, and cleans up', async (t) => {
  const { child, temporary, output, exit } = startDemo(t);
  const began = performance.now();
  await until(() => says(output(), 'up in'), { what: 'the servers', deadline: 120_000 });
  const pids = descendants(child.pid ?? 0);
  t.ok(pids.length >= 3, 'OpenBao, the emulator and VaultFerry run');
  const [code] = await exit;
  t.comment(`the demo took ${Math.round(performance.now() - began)} ms`);
  t.equal(code, 0, output());
  for (const line of LINES) t.match(output(), line);
  const [, summary = ''] = output().split('Outcome');
  for (const { name } of STEPS) t.match(summary, new RegExp(`^${name} +\\d.* (ms|s) `, 'm'), name);
  for (const value of Object.values(VALUES)) t.notOk(output().includes(value), 'no value is printed');
  t.notMatch(output(), /\b(?:s|hvs|sbr)\.[A-Za-z0-9]{20}|demo-[0-9a-f]{8}-/, 'nor is a token');
  t.notOk(output().includes('\u001b'), 'no colours where no terminal is');
  t.ok(await allGone(pids));
  t.strictSame(readdirSync(temporary), [], 'its folder is gone');
});

t.test('Ctrl-C half-way leaves neither processes nor files', async (t) => {
  const { child, temporary, output, exit } = startDemo(t);
  await until(() => says(output(), 'patch  $'), { what: 'the third step', deadline: 120_000 });
  const pids = descendants(child.pid ?? 0);
  t.ok(pids.length >= 3);
  child.kill('SIGINT');
  const [code] = await exit;
  t.equal(code, 130, output());
  t.ok(await allGone(pids));
  t.strictSame(readdirSync(temporary), []);
});

t.test('Ctrl-C while the servers start leaves no process', async (t) => {
  const { child, output, exit } = startDemo(t);
  const first = () => descendants(child.pid ?? 0).length > 0;
  await until(first, { what: 'the first child', deadline: 60_000 });
  const pids = descendants(child.pid ?? 0);
  child.kill('SIGINT');
  const [code] = await exit;
  t.equal(code, 130, output());
  t.ok(await allGone(pids));
});

t.test('SIGKILL leaves no process', async (t) => {
  const { child, output, exit } = startDemo(t);
  await until(() => says(output(), 'up in'), { what: 'the servers', deadline: 120_000 });
  const pids = descendants(child.pid ?? 0);
  child.kill('SIGKILL');
  await exit;
  t.ok(await allGone(pids));
});

t.test('--keep prints commands and runs until Ctrl-C', async (t) => {
  const { child, temporary, output, exit } = startDemo(t, ['--keep']);
  await until(() => says(output(), 'until Ctrl-C'), { what: 'the commands', deadline: 120_000 });
  const pids = descendants(child.pid ?? 0);
  t.match(output(), /^ {2}export AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+$/m);
  const [, config = ''] = /^ {2}export VAULTFERRY_CONFIG=(\S+)$/m.exec(output()) ?? [];
  const replicate = /^ {2}node (\S+ replicate \S+)$/m.exec(output())?.[1]?.split(' ') ?? [];
  const [, endpoint = ''] = /AWS_ENDPOINT_URL=(\S+)/.exec(output()) ?? [];
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
  const env = { ...process.env, ...credentials, AWS_ENDPOINT_URL: endpoint, VAULTFERRY_CONFIG: config };
  t.match(execFileSync(process.execPath, replicate, { env, encoding: 'utf8' }), /^queued hybrid-aws-secrets\/app\/db /);
  child.kill('SIGINT');
  t.strictSame((await exit)[0], 0);
  t.ok(await allGone(pids));
  t.strictSame(readdirSync(temporary), []);
});

t.test('a failure is told with its reason, the logs stay, and nothing else does', async (t) => {
  const deep = join(mkdtempSync(join(realpathSync(tmpdir()), 'vf-')), 'x'.repeat(100));
  t.teardown(() => rmSync(join(deep, '..'), { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(deep);
  const { output, exit } = startDemo(t, [], { TMPDIR: deep });
  t.equal((await exit)[0], 1);
  t.match(output(), /^✗ vaultferry ended before it was ready/m, 'no unix socket has so long a path');
  const [, logs = ''] = /^ {2}the logs are in (.+)$/m.exec(output()) ?? [];
  t.ok(existsSync(join(logs, 'vaultferry.stderr.log')));
});

const usage = [
  { args: ['--help'], code: 0, says: /^Usage: npm run demo/ },
  { args: ['--kep'], code: 2, says: /^Usage: npm run demo/ },
  { args: ['now'], code: 2, says: /^Usage: npm run demo/ },
];

for (const { args, code, says } of usage) {
  t.test(`${args.join(' ')} ends with ${code} and starts nothing`, async (t) => {
    const { temporary, output, exit } = startDemo(t, args);
    t.equal((await exit)[0], code);
    t.match(output(), says);
    t.strictSame(readdirSync(temporary), []);
  });
}
