import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type OpenBao, startOpenBao } from '../test/servers/openbao.ts';
import { freePort } from '../test/servers/ports.ts';
import { startRoto } from '../test/servers/roto.ts';
import { until } from '../test/servers/until.ts';
import { startVaultFerry } from '../test/servers/vaultferry.ts';
import { bootstrapInterval, median, percentile } from './statistics.ts';

const ROUNDS = 100;
/** Written in turn, so that none has more than the twenty versions that go at once of a day. */
const SECRETS = 10;
const MOUNT = 'hybrid-aws-secrets';
/** Rounds begin at all phases of whatever polls in steps: the emulator wakes long polls every 100 ms. */
const IDLE = () => 150 + Math.random() * 200;

/** Paired rounds of VaultFerry and of a bare script that makes the same calls one after the other. */
export async function lag(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vf-lag-'));
  const [roto, port] = await Promise.all([startRoto(), freePort()]);
  const queues = await roto.createQueues({ name: 'vaultferry' });
  const bareQueues = await roto.createQueues({ name: 'bare' });
  const tokenFile = join(folder, 'token');
  const socket = join(folder, 'audit.sock');
  writeFileSync(tokenFile, 'not yet', { mode: 0o600 });
  const config = `
vault: { address: "http://127.0.0.1:${port}", auth: { method: token, tokenFile: "${tokenFile}" } }
ingress: { socket: "unix:${socket}" }
admin: { listen: "http://127.0.0.1:0" }
queue: { url: "${queues.url}", deadLetterUrl: "${queues.deadLetterUrl}" }
routes: [ { mount: ${MOUNT}, kvVersion: 2, include: ["ferried/**"] } ]
`;
  const ferry = await startVaultFerry({ config, env: roto.env });
  const bao = await startOpenBao({ port, auditSocket: { type: 'unix', address: socket } });
  writeFileSync(tokenFile, bao.rootToken, { mode: 0o600 });
  await bao.createKv(MOUNT, 2);
  const sqs = new SQSClient(roto.client);
  const secrets = new SecretsManagerClient(roto.client);
  const bare = await bareScript({ bao, sqs, secrets, url: bareQueues.url });
  try {
    for (let round = 1 - SECRETS; round <= 0; round += 1) await ferried(bao, secrets, round);
    const ferryLags: number[] = [];
    const bareLags: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      await delay(IDLE());
      ferryLags.push(await ferried(bao, secrets, round));
      bareLags.push(await bare(round));
    }
    report(ferryLags, bareLags);
  } finally {
    await ferry.stop();
    await Promise.all([bao.stop(), roto.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(ferry: readonly number[], bare: readonly number[]): void {
  const ratios = ferry.map((ms, round) => ms / (bare[round] ?? Number.NaN));
  const row = (name: string, times: readonly number[]) =>
    `${name.padEnd(12)} p50 ${median(times).toFixed(1)} ms   p90 ${percentile(times, 0.9).toFixed(1)} ms   p99 ${percentile(times, 0.99).toFixed(1)} ms`;
  const [low, high] = bootstrapInterval(ferry, bare, (a, b) => median(a) / median(b));
  console.log(`idle lag, ${ferry.length} paired rounds: write acknowledged by OpenBao to value at AWSCURRENT`);
  console.log(row('vaultferry', ferry));
  console.log(row('bare script', bare));
  console.log(
    `ratio of medians ${(median(ferry) / median(bare)).toFixed(3)} (95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}), median of paired ratios ${median(ratios).toFixed(3)}`,
  );
}

/** Milliseconds until the value of a new write stands in Secrets Manager. */
async function ferried(bao: OpenBao, secrets: SecretsManagerClient, round: number): Promise<number> {
  const value = `made-up-${round}`;
  const path = `ferried/idle-${Math.abs(round % SECRETS)}`;
  await bao.put(MOUNT, path, { value });
  const written = performance.now();
  await until(() => isCurrent(secrets, `${MOUNT}/${path}`, value), {
    what: 'the value in Secrets Manager',
    deadline: 30_000,
    interval: 1,
  });
  return performance.now() - written;
}

async function isCurrent(secrets: SecretsManagerClient, name: string, value: string): Promise<boolean> {
  const command = new GetSecretValueCommand({ SecretId: name, VersionStage: 'AWSCURRENT' });
  const { SecretString } = await secrets.send(command).catch(() => ({ SecretString: undefined }));
  return SecretString?.includes(`"${value}"`) === true;
}

interface Bare {
  readonly bao: OpenBao;
  readonly sqs: SQSClient;
  readonly secrets: SecretsManagerClient;
  readonly url: string;
}

/** Send, a receive that was already waiting, describe, read, put, move stage: nothing else, nothing checked. */
async function bareScript({ bao, sqs, secrets, url }: Bare): Promise<(round: number) => Promise<number>> {
  const name = `${MOUNT}/bare`;
  await secrets.send(new CreateSecretCommand({ Name: name, SecretString: '{}' }));
  return async (round) => {
    const value = `made-up-${round}`;
    const waiting = sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }),
    );
    await delay(IDLE());
    await bao.put(MOUNT, 'bare', { value });
    const written = performance.now();
    const id = `${round}-${'0'.repeat(40)}`;
    await sqs.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: name, MessageGroupId: 'bare', MessageDeduplicationId: id }),
    );
    const { Messages: [message] = [] } = await waiting;
    const { ARN, VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId: name }));
    const [from] = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT')) ?? [];
    const { body } = await bao.request('GET', `${MOUNT}/data/bare`);
    const SecretString = JSON.stringify((body as { data: { data: object } }).data.data);
    await secrets.send(
      new PutSecretValueCommand({ SecretId: ARN, ClientRequestToken: id, SecretString, VersionStages: ['BARE'] }),
    );
    await secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId: ARN,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: id,
        RemoveFromVersionId: from,
      }),
    );
    await until(() => isCurrent(secrets, name, value), { what: 'the bare value', deadline: 10_000, interval: 1 });
    const elapsed = performance.now() - written;
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
    return elapsed;
  };
}
