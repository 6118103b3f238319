import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { kvEntry } from '../audit/entries.ts';
import { startAwsStandIn } from '../aws/stand-in.ts';
import { baseEnv } from '../servers/child.ts';
import { projectRoot } from '../servers/root.ts';
import { until } from '../servers/until.ts';
import { watchOver } from '../servers/watchdog.ts';

const KV = { namespace: '', mount: 'kv' };
/** Many times what a pipe that nobody reads has room for, one line of the log each. */
const CHANGES = 5_000;
const LINES_AT_ONCE = 50;

/** An ingress whose stderr is a pipe, read only when the test says so. */
async function startIngress(endpoint: string) {
  const url = (name: string) => `${endpoint}/123456789012/${name}.fifo`;
  const config = {
    ingress: { socket: 'tcp://127.0.0.1:0' },
    admin: { listen: 'http://127.0.0.1:0' },
    queue: { url: url('queue'), deadLetterUrl: url('letters') },
    routes: [{ mount: KV.mount, kvVersion: 2 }],
  };
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'eu-west-1' };
  const env = { ...baseEnv(), ...keys, AWS_ENDPOINT_URL: endpoint, VAULTFERRY_CONFIG: JSON.stringify(config) };
  const args = [join(projectRoot(), 'build/src/cli.js'), 'serve', '--role', 'ingress'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const watchdog = watchOver(child.pid ?? 0);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  void exited.then(watchdog.dismiss);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const logs = () =>
    text.split('\n').flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line)] : []));
  const ready = await until(() => logs().find(({ event }) => event === 'ready'), { what: 'the ingress' });
  return { child, exited, logs, ready };
}

t.test('a log that nobody reads any more holds up neither Vault nor the queue nor the end', async (t) => {
  const sqs = await startAwsStandIn();
  t.teardown(sqs.close);
  const { child, exited, logs, ready } = await startIngress(sqs.endpoint);
  t.teardown(() => child.kill('SIGKILL'));
  child.stderr.pause();

  const { port } = new URL(ready.socket);
  const vault = net.connect(Number(port), '127.0.0.1');
  t.teardown(() => vault.destroy());
  const dirty = async () =>
    /^vaultferry_dirty_refs (\d+)$/m.exec(await (await fetch(`${ready.admin}/metrics`)).text())?.[1];
  let longest = 0;
  for (let sent = 0; sent < CHANGES; sent += LINES_AT_ONCE) {
    const lines = Array.from({ length: LINES_AT_ONCE }, (_, line) =>
      JSON.stringify(kvEntry(KV, 'update', `data/app/${sent + line}`)),
    );
    const began = performance.now();
    await new Promise((taken) => vault.write(`${lines.join('\n')}\n`, taken));
    longest = Math.max(longest, performance.now() - began);
  }
  await until(async () => (await dirty()) === '0', { what: 'every change to be on the queue' });
  t.ok(longest < 5_000, `no write waited for the log, the longest took ${longest} ms`);
  t.equal((await fetch(`${ready.admin}/healthz`)).status, 200);

  child.stderr.resume();
  const queued = () => logs().filter(({ event }) => event === 'change.queued').length;
  await until(() => queued() === CHANGES, { what: 'what waited for the reader' });

  child.stderr.pause();
  child.kill('SIGTERM');
  t.equal(await exited, 0);
});
