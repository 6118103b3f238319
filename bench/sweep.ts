import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { encodeMessage, sweepGroup } from '../src/queue/message.ts';
import { type OpenBao, startOpenBao } from '../test/servers/openbao.ts';
import { type Queues, type Roto, startRoto } from '../test/servers/roto.ts';
import { startVaultFerry, type VaultFerry } from '../test/servers/vaultferry.ts';
import { startAsked } from './child.ts';
import { startCounter } from './counter.ts';
import { pullLoop } from './pull-loop.ts';
import type { InSync } from './secrets-manager.ts';
import { MOUNT, pathsOf, seed } from './seed.ts';
import { startStandIns } from './stand-ins.ts';
import { median } from './statistics.ts';

const DEFAULT_SECRETS = 10_000;
/** Past so many secrets the servers would take minutes to be filled: stand-ins make them up, and there is no pull loop. */
const COMPARED_UP_TO = 20_000;
const ROUNDS = 3;
/** Far longer than a sweep takes, in ms. */
const DEADLINE = 15 * 60_000;

const FOLDERS = 25;

/** A sweep of secrets that are all in sync, against a pull loop that finds the same, on the same servers. */
export async function sweep(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { secrets: { type: 'string' } } });
  const count = Number(values.secrets ?? DEFAULT_SECRETS);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error('--secrets takes a whole number from 1 on');
  await (count > COMPARED_UP_TO ? alone(count) : compared(count));
}

async function compared(count: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vf-sweep-'));
  const [roto, bao] = await Promise.all([startRoto(), startOpenBao({ dir: folder })]);
  const secretsManager = startAsked<readonly InSync[], number>('secrets-manager');
  try {
    const began = performance.now();
    await bao.createKv(MOUNT, 2);
    const copies = await seed(bao, pathsOf(count, FOLDERS));
    const aws = `http://127.0.0.1:${await secretsManager.ask(copies)}`;
    console.log(`${count} secrets in ${FOLDERS} folders, all in sync (made in ${seconds(performance.now() - began)})`);
    await compareBoth({ roto, bao, aws, count });
  } finally {
    await Promise.all([bao.stop(), roto.end(), secretsManager.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The sweep by itself, of secrets that nobody keeps. */
async function alone(count: number): Promise<void> {
  const [roto, standIns] = await Promise.all([startRoto(), startStandIns(count, FOLDERS)]);
  const [vault, aws] = await Promise.all([startCounter(standIns.vault), startCounter(standIns.aws)]);
  const env = { ...roto.env, VAULT_TOKEN: 'made-up', AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.endpoint };
  try {
    console.log(
      `${count} secrets in ${FOLDERS} folders, all in sync, made up by stand-ins for OpenBao and Secrets Manager`,
    );
    const ours = await startOurs({ roto, vault: vault.endpoint, env, count });
    const times: number[] = [];
    while (times.length < ROUNDS) times.push(await ours.next());
    const requests = { vault: Math.ceil(vault.count() / ROUNDS), aws: Math.ceil(aws.count() / ROUNDS) };
    console.log(row('vaultferry', median(times), requests));
    console.log(memory(await ours.stop()));
  } finally {
    await Promise.all([vault.close(), aws.close(), standIns.close(), roto.end()]);
  }
}

interface Servers {
  readonly roto: Roto;
  readonly bao: OpenBao;
  /** Secrets Manager's endpoint. */
  readonly aws: string;
  readonly count: number;
}

async function compareBoth(servers: Servers): Promise<void> {
  const { roto, bao, aws, count } = servers;
  const secrets = new SecretsManagerClient({ ...roto.client, endpoint: aws });
  const token = await bao.tokenFor(POLICY);
  const env = { ...roto.env, AWS_ENDPOINT_URL_SECRETS_MANAGER: aws };
  const ours = await startOurs({ roto, vault: bao.address, env, token, count });
  const times: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] };
  let theirRequests: Requests = { vault: 0, aws: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.ours.push(await ours.next());
    const { took, ...made } = await pullLoop({ address: bao.address, token, secrets, expected: count });
    times.theirs.push(took);
    theirRequests = made;
  }
  const peak = await ours.stop();
  console.log(row('vaultferry', median(times.ours), await counted(servers, token)));
  console.log(memory(peak));
  console.log(row('pull loop', median(times.theirs), theirRequests));
  console.log(
    `ratio of medians of ${ROUNDS} rounds: ${(median(times.theirs) / median(times.ours)).toFixed(1)} (10 is the aim)`,
  );
  secrets.destroy();
}

const POLICY = [
  `path "${MOUNT}/data/*" { capabilities = ["read"] }`,
  `path "${MOUNT}/metadata/*" { capabilities = ["read", "list"] }`,
  `path "${MOUNT}/detailed-metadata/*" { capabilities = ["list", "scan"] }`,
].join('\n');

interface Requests {
  readonly vault: number;
  readonly aws: number;
}

const LABEL = 12;
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
const row = (name: string, ms: number, { vault, aws }: Requests) =>
  `${name.padEnd(LABEL)}  ${seconds(ms).padStart(9)}   ${String(vault).padStart(6)} requests to OpenBao   ${String(aws).padStart(6)} to Secrets Manager`;

const memory = (peak: string) => `${''.padEnd(LABEL)}  peak memory of the whole process ${peak}`;

interface Ours {
  readonly roto: Roto;
  readonly vault: string;
  readonly env: NodeJS.ProcessEnv;
  readonly token?: string;
  readonly count: number;
}

/** A worker of its own: each `next` is the milliseconds of one more sweep; `stop` tells the most memory that it held. */
async function startOurs({ roto, vault, env, token = 'made-up', count }: Ours) {
  const queues = await roto.createQueues({ name: 'sweep' });
  const worker = await startVaultFerry({ config: configOf(vault, queues), env: { ...env, VAULT_TOKEN: token } });
  const sqs = new SQSClient(roto.client);
  let rounds = 0;
  return {
    async next(): Promise<number> {
      rounds += 1;
      if (rounds === 1) return swept(worker, 'start', count);
      const reason = `round ${rounds}`;
      await sqs.send(requestFor(queues, reason));
      return swept(worker, reason, count);
    },
    async stop(): Promise<string> {
      const peak = peakMemory(worker.pid);
      await worker.stop();
      sqs.destroy();
      return peak;
    },
  };
}

/** The requests of one sweep, counted by proxies, which would cost time where it is measured. */
async function counted({ roto, bao, aws: endpoint, count }: Servers, token: string): Promise<Requests> {
  const queues = await roto.createQueues({ name: 'counted' });
  const [vault, aws] = await Promise.all([startCounter(bao.address), startCounter(endpoint)]);
  const env = { ...roto.env, VAULT_TOKEN: token, AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.endpoint };
  const worker = await startVaultFerry({ config: configOf(vault.endpoint, queues), env });
  await swept(worker, 'start', count);
  await worker.stop();
  await Promise.all([vault.close(), aws.close()]);
  return { vault: vault.count(), aws: aws.count() };
}

/** A worker that has no ingress sweeps at its start. */
const configOf = (vault: string, { url, deadLetterUrl }: Queues) => `
vault: { address: "${vault}", timeout: 60s, auth: { method: token, token: "\${VAULT_TOKEN}" } }
ingress: false
admin: { listen: "http://127.0.0.1:0" }
queue: { url: "${url}", deadLetterUrl: "${deadLetterUrl}" }
routes: [ { mount: ${MOUNT}, kvVersion: 2 } ]
destinations: { default: { maxSecrets: 500000 } }
sweep: { minGap: 0s, vaultRequestsPerSecond: 10000 }
`;

const requestFor = ({ url }: Queues, reason: string) =>
  new SendMessageCommand({
    QueueUrl: url,
    MessageBody: encodeMessage({ v: 1, kind: 'sweep', vault: 'vault', origin: 'operator', reason }),
    MessageGroupId: sweepGroup('vault'),
    MessageDeduplicationId: reason.replace(' ', '-'),
  });

/** Milliseconds of the sweep that this was the reason for; throws unless it found everything in sync. */
async function swept(worker: VaultFerry, reason: string, expected: number): Promise<number> {
  const line = await worker.waitForLog(
    (one) => one['event'] === 'sweep.finished' && one['reason'] === reason,
    DEADLINE,
  );
  const found = JSON.stringify(line['found']);
  if (found !== JSON.stringify({ default: { in_sync: expected } })) throw new Error(`the sweep found ${found}`);
  return Number(line['seconds']) * 1000;
}

/** The most memory that the process ever held, where the system tells: Linux does. */
function peakMemory(pid: number): string {
  try {
    const [, kib = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return `${Math.round(Number(kib) / 1024)} MiB`;
  } catch {
    return 'not told by this system';
  }
}
