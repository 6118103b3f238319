import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startOpenBao } from '../test/servers/openbao.ts';
import { freePort } from '../test/servers/ports.ts';
import { startRoto } from '../test/servers/roto.ts';
import { until } from '../test/servers/until.ts';
import { startVaultFerry } from '../test/servers/vaultferry.ts';
import { auditLines } from './audit-lines.ts';
import { startAsked } from './child.ts';
import type { Ask } from './children/answer-sqs.ts';
import type { Probe, Waits } from './children/probe.ts';
import { startIngress } from './start-ingress.ts';

const MOUNT = 'kv';
const FOR_MS = 10_000;
/** The map of dirty secrets holds 100,000: this many distinct ones overflow it. */
const DISTINCT = 130_000;
const SECRETS = 400;

/** How long a line is not taken by the kernel for VaultFerry, in each situation in which it has other things to do. */
export async function pressure(): Promise<void> {
  console.log('the longest that a sender of 2,000 lines a second waited (aim: at most 100 ms)');
  const folder = await mkdtemp(join(tmpdir(), 'vf-pressure-'));
  try {
    await queueAway(folder);
    await allInOne(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const writesOf = (count: number) => auditLines(count, { writes: 1, reads: 0, requests: 0, mounts: [MOUNT] }).bytes;
const usual = () => auditLines(5_000, { writes: 0, reads: 0, requests: 0, mounts: [MOUNT] }).bytes;

/** Writes from a process of its own for as long as `meanwhile` lasts. */
async function probed(what: string, file: string, path: string, meanwhile: () => Promise<unknown>): Promise<void> {
  const probe = startAsked<Probe, Waits>('probe');
  await probe.ask({ file, path });
  await meanwhile();
  const { lines, longest } = await probe.ask('result');
  await probe.stop();
  console.log(`  ${what.padEnd(44)} ${longest.toFixed(1).padStart(7)} ms, ${lines} lines`);
}

async function queueAway(folder: string): Promise<void> {
  const [few, many, path] = ['few', 'many', 'ingress.sock'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(few, writesOf(5_000));
  writeFileSync(many, writesOf(DISTINCT));
  const sqs = startAsked<Ask, { port: number }>('answer-sqs');
  const { port } = await sqs.ask({ mode: 'up' });
  const ferry = await startIngress(port, [MOUNT], `unix:${path}`);
  try {
    await probed('SQS takes everything', few, path, () => delay(FOR_MS));
    await sqs.ask({ mode: 'refuse' });
    await probed('SQS refuses everything', few, path, () => delay(FOR_MS));
    await sqs.ask({ mode: 'hang' });
    await probed('SQS never answers', few, path, () => delay(FOR_MS));
    await probed('the map of dirty secrets is full', many, path, () => delay((DISTINCT / 2_000) * 1_000));
  } finally {
    await ferry.stop();
    await sqs.stop();
  }
}

/** One process of all roles, whose worker makes copies and whose sweep lists both ends. */
async function allInOne(folder: string): Promise<void> {
  const [roto, port] = await Promise.all([startRoto(), freePort()]);
  const queues = await roto.createQueues({ name: 'pressure' });
  const [file, path, tokenFile] = ['usual', 'all.sock', 'token'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(file, usual());
  writeFileSync(tokenFile, 'not yet', { mode: 0o600 });
  const config = `
vault: { address: "http://127.0.0.1:${port}", auth: { method: token, tokenFile: "${tokenFile}" } }
ingress: { socket: "unix:${path}" }
admin: { listen: "http://127.0.0.1:0" }
queue: { url: "${queues.url}", deadLetterUrl: "${queues.deadLetterUrl}" }
sweep: { minGap: 0s }
routes: [ { mount: ${MOUNT}, kvVersion: 2 } ]
`;
  const ferry = await startVaultFerry({ config, env: roto.env, sourceMaps: false });
  const bao = await startOpenBao({ port, auditSocket: { type: 'unix', address: path } });
  writeFileSync(tokenFile, bao.rootToken, { mode: 0o600 });
  await bao.createKv(MOUNT, 2);
  const count = (event: string) => ferry.logs().filter((line) => line['event'] === event).length;
  const reached = (event: string, times: number) =>
    until(() => count(event) >= times, { what: `${times} of ${event}`, deadline: 180_000, interval: 100 });
  try {
    await probed('the worker of the same process is busy', file, path, async () => {
      for (let number = 0; number < SECRETS; number += 1) await bao.put(MOUNT, `app/${number}`, { made: 'up' });
      await reached('secret.replicated', SECRETS);
    });
    const sweeps = count('sweep.finished');
    await probed('a sweep runs in the same process', file, path, () => reached('sweep.finished', sweeps + 1));
  } finally {
    await ferry.stop();
    await Promise.all([bao.stop(), roto.stop()]);
  }
}
