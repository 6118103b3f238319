import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startVaultFerry } from './vaultferry.ts';

// Keeps the contract of `serve`: JSON lines on stderr, "ready" among them, exit 0 after SIGTERM.
const CLI = `
const log = (line) => process.stderr.write(JSON.stringify(line) + '\\n');
process.on('SIGTERM', () => { log({ event: 'stopped' }); process.exit(0); });
if (process.argv.includes('--fail')) { process.stderr.write('no such key\\n'); process.exit(2); }
process.stderr.write('no JSON\\n');
log({ event: 'starting', args: process.argv.slice(2), env: Object.keys(process.env) });
log({ event: 'ready', config: process.env.VAULTFERRY_CONFIG, port: 1 });
setTimeout(() => log({ event: 'later' }), 50);
setInterval(() => {}, 1000);
`;
const config = 'routes:\n  - { mount: kv }\n';

t.test('it is started with its configuration inline, followed by its log, and stopped', async (t) => {
  const dir = t.testdir({ 'cli.cjs': CLI });
  const ferry = await startVaultFerry({
    config,
    env: { MY: '1' },
    args: ['--role', 'worker'],
    dir,
    cli: join(dir, 'cli.cjs'),
  });
  t.match(ferry.ready, { event: 'ready', config, port: 1 });
  const [starting] = ferry.logs();
  t.match(starting, { args: ['serve', '--role', 'worker'] });
  t.ok((await ferry.waitForLog(({ event }) => event === 'later'))['event']);
  await t.rejects(
    ferry.waitForLog(() => false, 20),
    { message: 'Waited 20 ms for a log line of vaultferry' },
  );
  t.match(await ferry.stop(), { code: 0 });
  t.match(readFileSync(ferry.stderrPath, 'utf8'), 'stopped');
});

t.test('an early end is told with its exit code and last lines', async (t) => {
  const dir = t.testdir({ 'cli.cjs': CLI });
  const start = startVaultFerry({ config, env: {}, args: ['--fail'], dir, cli: join(dir, 'cli.cjs') });
  await t.rejects(start, { message: 'vaultferry ended before it was ready (exit 2). Its last lines:\nno such key' });
});

t.test('a missing build is said to be missing', async (t) => {
  await t.rejects(startVaultFerry({ config, env: {}, cli: '/no/cli.js' }), { message: /npm run build:dev/ });
});
