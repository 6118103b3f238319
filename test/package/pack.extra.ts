import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { baseEnv } from '../servers/child.ts';
import { projectRoot } from '../servers/root.ts';

// Needs npm and its registry: packs the checkout and installs the package as its users do, into an empty folder.

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'vaultferry-package-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const installed = join(folder, 'node_modules', 'vaultferry');
const bin = join(folder, 'node_modules', '.bin', 'vaultferry');

/** npm's own variables of the run that started this test would point it at the checkout. */
const npm = (args: readonly string[], cwd: string) => run('npm', [...args], { cwd, env: baseEnv() });

const packed: string[] = [];

t.before(async () => {
  const { stdout } = await npm(['pack', '--json', '--pack-destination', folder], projectRoot());
  // What `prepack` prints comes first.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [Packed];
  packed.push(...files.map(({ path }) => path));
  await writeFile(join(folder, 'package.json'), '{}');
  await npm(['install', '--omit=dev', '--no-audit', '--no-fund', join(folder, filename)], folder);
});

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Nothing of this program's environment reaches it but PATH and HOME. */
const vaultferry = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(bin, [...args], { cwd: folder, env: { ...baseEnv(), ...env } });

const CONFIG = `
ingress: { socket: "tcp://127.0.0.1:0" }
admin: { listen: "http://127.0.0.1:0" }
queue:
  url: http://127.0.0.1:9/123456789012/vaultferry.fifo
  deadLetterUrl: http://127.0.0.1:9/123456789012/vaultferry-dlq.fifo
routes:
  - { mount: kv, kvVersion: 2 }
`;
const ENV = {
  VAULTFERRY_CONFIG: CONFIG,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};

t.test('the package holds the compiled program and its papers, and nothing else', async (t) => {
  const papers = ['LICENSE', 'README.md', 'package.json'];
  t.same(packed.filter((path) => !path.startsWith('dist/')).toSorted(), papers);
  t.same(
    packed.filter((path) => path.startsWith('dist/') && !path.endsWith('.js')),
    [],
  );
});

t.test('each source file is in it, compiled, and no file whose source is gone', async (t) => {
  const sources = (await readdir(join(projectRoot(), 'src'), { recursive: true })).filter((path) =>
    path.endsWith('.ts'),
  );
  const expected = sources.map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
  t.same(packed.filter((path) => path.startsWith('dist/')).toSorted(), expected.toSorted());
});

t.test('nothing of development is installed', async (t) => {
  const { devDependencies } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  for (const name of Object.keys(devDependencies)) t.notOk(existsSync(join(folder, 'node_modules', name)), name);
  t.ok(existsSync(join(installed, 'dist', 'cli.js')));
});

t.test('--version is that of package.json', async (t) => {
  const { version } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  t.equal((await vaultferry(['--version'])).stdout, `${version}\n`);
});

t.test('config check tells right from wrong', async (t) => {
  const { stdout } = await vaultferry(['config', 'check', '--role', 'ingress'], ENV);
  t.equal(stdout, 'configuration is valid: 1 route, 1 destination\n');
  await t.rejects(vaultferry(['config', 'check'], { ...ENV, VAULTFERRY_CONFIG: '{}' }), { code: 2 });
});

t.test('serve starts, and ends with 0 on SIGTERM', async (t) => {
  const child = spawn(bin, ['serve', '--role', 'ingress'], { cwd: folder, env: { ...baseEnv(), ...ENV } });
  const exited = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  const ready = await readyLine(t, child.stderr);
  t.match(ready, { roles: ['ingress'], socket: /^tcp:\/\/127\.0\.0\.1:\d+$/ });
  t.equal((await fetch(`${String(ready['admin'])}/healthz`)).status, 200);
  child.kill('SIGTERM');
  t.same(await exited, [0, null]);
});

async function readyLine(t: Test, stderr: NodeJS.ReadableStream): Promise<Record<string, unknown>> {
  const lines = createInterface({ input: stderr });
  t.teardown(() => lines.close());
  for await (const line of lines) {
    const event = JSON.parse(line) as Record<string, unknown>;
    if (event['event'] === 'ready') return event;
  }
  throw new Error('it ended before it was ready');
}
