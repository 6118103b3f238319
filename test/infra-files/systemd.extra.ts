import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { readInfra } from './examples.ts';

// Needs systemd-analyze of systemd 250 or newer (Debian 12's package `systemd`); nothing is started.

const UNITS = ['vaultferry-ingress.service', 'vaultferry-worker.service'];
/** The highest exposure level that passes, in tenths. */
const THRESHOLD = 20;

const run = promisify(execFile);

/** What systemd-analyze printed, and its exit code; a program that is not there fails the test by itself. */
async function analyze(...args: readonly string[]): Promise<{ code: unknown; text: string }> {
  try {
    const { stdout, stderr } = await run('systemd-analyze', [...args]);
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (code === 'ENOENT') throw error;
    return { code, text: stdout + stderr };
  }
}

/** A copy of the unit that starts a program which is there: `verify` looks it up. */
async function unitCopy(t: Test, name: string, change: (text: string) => string = (text) => text): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultferry-units-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const program = join(folder, 'vaultferry');
  await writeFile(program, '#!/bin/sh\n');
  await chmod(program, 0o755);
  const text = (await readInfra(`systemd/${name}`)).replace('ExecStart=vaultferry ', `ExecStart=${program} `);
  await writeFile(join(folder, name), change(text));
  return join(folder, name);
}

for (const name of UNITS) {
  t.test(`${name} is understood whole`, async (t) => {
    t.same(await analyze('verify', '--man=no', await unitCopy(t, name)), { code: 0, text: '' });
  });

  t.test(`${name} is exposed by ${THRESHOLD / 10} at most`, async (t) => {
    const { code, text } = await analyze(
      'security',
      '--offline=true',
      `--threshold=${THRESHOLD}`,
      await unitCopy(t, name),
    );
    t.equal(code, 0, text.split('\n').at(-2) ?? '');
  });
}

t.test('a misspelled setting and missing hardening are noticed', async (t) => {
  const misspelled = await unitCopy(t, 'vaultferry-worker.service', (text) => text.replace('Restart=', 'Restrat='));
  t.match((await analyze('verify', '--man=no', misspelled)).text, /Unknown key .*'Restrat'/);
  const open = await unitCopy(t, 'vaultferry-worker.service', (text) =>
    text.replaceAll(/^(SystemCallFilter|Protect\w+)=.*$/gm, ''),
  );
  t.not((await analyze('security', '--offline=true', `--threshold=${THRESHOLD}`, open)).code, 0);
});
