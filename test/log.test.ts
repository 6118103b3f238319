import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from './servers/root.ts';

/** Runs statements over `log` in a process of its own, since the log writes to its file descriptor 2; gives its lines. */
function logged(level: string, statements: string, terminal = false): string[] {
  const modules = (name: string) => JSON.stringify(`file://${join(projectRoot(), 'src', name)}`);
  const script = `
    const { createLog } = await import(${modules('log.ts')});
    const { ReplicationError } = await import(${modules('errors.ts')});
    const { Sensitive } = await import(${modules('sensitive.ts')});
    const log = createLog(${JSON.stringify(level)}, ${terminal});
    ${statements}`;
  const args = [...process.execArgv, '--input-type=module', '-e', script];
  const { stderr, stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0 || stdout !== '') throw new Error(`the script ended with ${status}: ${stderr.slice(0, 2_000)}`);
  return stderr.split('\n').filter((line) => line !== '');
}

const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

t.test('a line is JSON with time, level and the event, and nothing of the machine', async (t) => {
  const [line, ...others] = parsed(logged('info', `log.info({ event: 'ready', ref: 'kv/app\\nb', lagMs: 4 });`));
  t.same(others, []);
  t.match(line, { level: 'info', event: 'ready', ref: 'kv/app\nb', lagMs: 4 });
  t.match(line?.['time'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.strictSame(Object.keys(line ?? {}).sort(), ['event', 'lagMs', 'level', 'ref', 'time']);
});

t.test('below the level nothing is written', async (t) => {
  const all = `for (const level of ['debug', 'info', 'warn', 'error']) log[level]({ event: level });`;
  const levels = (level: string) => parsed(logged(level, all)).map(({ event, level: own }) => `${own} ${event}`);
  t.same(levels('debug'), ['debug debug', 'info info', 'warn warn', 'error error']);
  t.same(levels('warn'), ['warn warn', 'error error']);
});

t.test('our own errors say their code and text, and not their cause', async (t) => {
  const lines = logged(
    'info',
    `log.warn({ event: 'x', err: new ReplicationError('not_owned', 'the text', new Error('canary')) });`,
  );
  t.strictSame(
    parsed(lines).map(({ err }) => err),
    [{ code: 'not_owned', text: 'the text' }],
  );
  t.notMatch(lines.join(), /canary/);
});

t.test("a foreign error's text never shows, whatever kind it is of", async (t) => {
  const lines = logged(
    'info',
    `
    const nested = new AggregateError([new Error('canary')], 'canary', { cause: new Error('canary') });
    const dressed = Object.assign(new TypeError('canary\\ncanary'), { body: 'canary', code: 'ECANARY' });
    for (const err of [new RangeError('canary'), nested, dressed, 'canary', { message: 'canary' }, undefined, null]) {
      log.error({ event: 'x', err });
    }`,
  );
  t.notMatch(lines.join(), /canary/i);
  t.match(
    parsed(lines).map(({ err }) => err),
    [
      { type: 'RangeError', stack: [/^ *at /] },
      { type: 'AggregateError' },
      { type: 'TypeError' },
      { type: 'string' },
      { type: 'object' },
      {},
      {},
    ],
  );
  for (const line of parsed(lines)) t.notOk('msg' in line);
});

t.test('a value that is held as sensitive cannot be written', async (t) => {
  const lines = logged(
    'info',
    `log.info({ event: 'x', value: new Sensitive('canary'), deep: [{ v: new Sensitive('canary') }] });`,
  );
  t.match(parsed(lines), [{ value: '[redacted]', deep: [{ v: '[redacted]' }] }]);
  t.notMatch(lines.join(), /canary/);
});

t.test('on a terminal a person can read it', async (t) => {
  const text = logged('info', `log.info({ event: 'secret.replicated', ref: 'kv/app' });`, true).join('\n');
  t.match(text, /INFO.*secret\.replicated/);
  t.match(text, /ref.*kv\/app/);
});
