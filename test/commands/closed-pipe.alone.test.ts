import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { projectRoot } from '../servers/root.ts';

const cli = join(projectRoot(), 'build/src/cli.js');

t.test('a reader who leaves early ends the command quietly, with its own exit code', async (t) => {
  const child = spawn(process.execPath, [cli, 'config', 'schema'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy(); // long before Node is up and writes
  const [[code, signal], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
  t.strictSame({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
});

t.test('and so does one who leaves where errors are told', async (t) => {
  const child = spawn(process.execPath, [cli, 'nonsense'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.destroy();
  const [[code, signal], stdout] = await Promise.all([once(child, 'exit'), text(child.stdout)]);
  t.strictSame({ code, signal, stdout }, { code: 2, signal: null, stdout: '' });
});
