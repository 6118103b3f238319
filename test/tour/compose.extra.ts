import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { baseEnv } from '../servers/child.ts';
import { projectRoot } from '../servers/root.ts';
import { ensureWheels } from '../servers/wheels.ts';
import { projectFile } from './compose-file.ts';

// Needs Python 3.11 or newer with venv, and its package index: the tools come as wheels. No container runs.

const DOCKERFILES = ['Dockerfile', 'test/servers/Dockerfile'];
const SCRIPTS = [
  'vault-config/apply.sh',
  'vault-config/demo-init.sh',
  'test/servers/create-queues.sh',
  'test/servers/aws-cli.sh',
];
const COMMON = ['aws', 'demo-init', 'ingress', 'queues', 'worker-1', 'worker-2'];

const folder = await mkdtemp(join(tmpdir(), 'vaultferry-compose-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const bin = await ensureWheels('tools');

/** What a tool printed, and whether it was content. */
async function run(tool: string, ...args: readonly string[]): Promise<{ passed: boolean; text: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(join(bin, tool), [...args], {
      cwd: projectRoot(),
      env: baseEnv(),
    });
    return { passed: true, text: stdout + stderr };
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (stdout === undefined) throw error;
    return { passed: false, text: stdout + stderr };
  }
}

const NOTHING = { passed: true, text: '' };

/** A copy of a file of the project, changed. */
async function changed(path: string, from: string, to: string): Promise<string> {
  const text = projectFile(path);
  if (!text.includes(from)) throw new Error(`${path} does not hold ${from}`);
  const copy = join(folder, 'copy');
  await writeFile(copy, text.replace(from, to));
  return copy;
}

const profiles = [
  { args: [], server: 'vault' },
  { args: ['--profile', 'openbao'], server: 'openbao' },
];

for (const { args, server } of profiles) {
  t.test(`docker compose ${args.join(' ')} up would start ${server} alone of the servers`, async (t) => {
    const { passed, text } = await run('docker-compose', ...args, 'config', '--services');
    t.ok(passed, text);
    t.same(text.trim().split('\n').toSorted(), [...COMMON, server].toSorted());
  });
}

t.test('compose notices an unknown key', async (t) => {
  const copy = await changed('docker-compose.yml', 'read_only:', 'read-only:');
  t.match(await run('docker-compose', '--file', copy, 'config', '--quiet'), { passed: false, text: /read-only/ });
});

for (const path of DOCKERFILES) {
  t.test(`hadolint finds nothing in ${path}`, async (t) => t.same(await run('hadolint', path), NOTHING));
}

t.test('hadolint notices a base image without its version', async (t) => {
  const copy = await changed('test/servers/Dockerfile', 'FROM python:3.13-slim-bookworm', 'FROM python');
  t.match(await run('hadolint', copy), { passed: false, text: /DL3006/ });
});

for (const path of SCRIPTS) {
  t.test(`shellcheck finds nothing in ${path}`, async (t) =>
    t.same(await run('shellcheck', '--external-sources', path), NOTHING),
  );
}

t.test('shellcheck notices a missing quote', async (t) => {
  const copy = await changed('test/servers/aws-cli.sh', '"$@"', '$@');
  t.match(await run('shellcheck', copy), { passed: false, text: /SC2068/ });
});
