import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { baseEnv, folderFor, launch, startChild } from './child.ts';
import { isAlive } from './lock.ts';
import { projectRoot } from './root.ts';
import { until } from './until.ts';

const shell = (script: string, dir: string) => ({
  name: 'child',
  command: '/bin/sh',
  args: ['-c', script],
  env: baseEnv(),
  folder: { path: dir, temporary: false },
});
const saysUp = ({ stdout }: ReturnType<typeof launch>) => stdout.lines().includes('up');

t.test('a child is ready when its condition holds, and stops by SIGTERM', async (t) => {
  const child = await startChild({ ...shell('echo up; exec sleep 60', t.testdir()), ready: saysUp });
  t.ok(isAlive(child.pid));
  t.equal(child.exit(), undefined);
  t.strictSame(await child.stop(), { code: null, signal: 'SIGTERM' });
  t.strictSame(await child.stop(), { code: null, signal: 'SIGTERM' }, 'a second stop finds it stopped');
  t.strictSame(child.exit(), { code: null, signal: 'SIGTERM' });
});

t.test('a child that ignores SIGTERM is killed after its grace', async (t) => {
  const script = "trap '' TERM; echo up; while :; do sleep 0.1; done";
  const child = await startChild({ ...shell(script, t.testdir()), ready: saysUp });
  t.strictSame(await child.stop(100), { code: null, signal: 'SIGKILL' });
});

t.test('kill sends any signal', async (t) => {
  const child = await startChild({ ...shell('echo up; exec sleep 60', t.testdir()), ready: saysUp });
  child.kill('SIGKILL');
  t.strictSame(await child.exited(), { code: null, signal: 'SIGKILL' });
});

t.test('a child that ends before it is ready is told with its last lines', async (t) => {
  const start = startChild({ ...shell('echo one; echo two >&2; exit 3', t.testdir()), ready: () => false });
  await t.rejects(start, { message: 'child ended before it was ready (exit 3). Its last lines:\none\ntwo' });
});

t.test('a child that is late is stopped', async (t) => {
  const options = shell('echo waiting; exec sleep 60', t.testdir());
  let pid = 0;
  const ready = (child: { pid: number }) => {
    pid = child.pid;
    return false;
  };
  await t.rejects(startChild({ ...options, ready, deadline: 200 }), {
    message: /^Waited 200 ms for child to be ready/,
  });
  t.notOk(isAlive(pid));
});

t.test('a program that does not exist is said to be missing', (t) => {
  const options = { ...shell('', t.testdir()), command: '/no/such/program' };
  t.throws(() => launch(options), {
    message: 'child cannot be started: /no/such/program is missing or cannot be run.',
  });
  t.end();
});

t.test('a named folder is made and stays, one of our own is temporary', async (t) => {
  const path = join(t.testdir(), 'a/b');
  t.strictSame(await folderFor('child', path), { path, temporary: false });
  t.ok(existsSync(path));
});

/** A program of its own that starts a child in a temporary folder, writes down both and then does `ending`. */
function parentOf(dir: string, ending: string): ChildProcess {
  const url = pathToFileURL(join(projectRoot(), 'build/test/servers/child.js')).href;
  const code = `
    import { writeFileSync, renameSync } from 'node:fs';
    import { folderFor, startChild } from '${url}';
    const folder = await folderFor('orphan');
    const options = { name: 'child', command: '/bin/sh', args: ['-c', 'echo up; exec sleep 60'], env: {}, folder };
    const { pid } = await startChild({ ...options, ready: ({ stdout }) => stdout.lines().includes('up') });
    writeFileSync('found.tmp', JSON.stringify({ pid, path: folder.path }));
    renameSync('found.tmp', 'found');
    ${ending}`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: dir, stdio: 'ignore' });
}

const endings = [
  { how: 'SIGKILL', ending: 'setInterval(() => {}, 1000);', signal: 'SIGKILL' },
  { how: "Ctrl-C's SIGINT", ending: 'setInterval(() => {}, 1000);', signal: 'SIGINT' },
  { how: 'an uncaught exception', ending: "throw new Error('crash');" },
  { how: 'running out of work', ending: '' },
] as const;

for (const { how, ending, ...by } of endings) {
  t.test(`a child and its temporary folder end with their parent by ${how}`, async (t) => {
    const dir = t.testdir();
    const parent = parentOf(dir, ending);
    const found = join(dir, 'found');
    await until(() => existsSync(found), { what: 'the child of the other program' });
    const { pid, path } = JSON.parse(readFileSync(found, 'utf8')) as { pid: number; path: string };
    if ('signal' in by) parent.kill(by.signal);
    await until(() => !isRunning(pid), { what: 'the child to end' });
    await until(() => !existsSync(path), { what: 'its folder to go' });
    t.pass('both are gone');
  });
}

/** A killed orphan may wait for good, as a zombie, where the first process of a container reaps none. */
function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return isAlive(pid) && !(existsSync(stat) && readFileSync(stat, 'utf8').includes(') Z '));
}
