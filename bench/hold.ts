import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenBao, startOpenBao } from '../test/servers/openbao.ts';
import { startAsked } from './child.ts';
import type { Ask } from './children/answer-sqs.ts';
import type { Address } from './children/count-bytes.ts';
import { pressure } from './pressure.ts';
import { startIngress } from './start-ingress.ts';
import { bootstrapInterval, median, percentile } from './statistics.ts';

const MOUNT = 'kv';
const ROUNDS = 20;
const PATHS = 500;

/** Clients at once, and what they write in a round. */
interface Pressing {
  readonly clients: number;
  readonly writes: number;
  readonly told: string;
}

const PRESSING: readonly Pressing[] = [
  { clients: 1, writes: 1_000, told: 'one client, which waits for each answer' },
  { clients: 16, writes: 2_000, told: '16 clients, which leave no core free: what VaultFerry computes, OpenBao lacks' },
];

interface Load {
  readonly perSecond: number;
  /** Milliseconds of 99 % of the writes. */
  readonly p99: number;
}

/** What VaultFerry on the socket device costs OpenBao, beside a bare sink there; and the longest wait of a sender. */
export async function hold(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vf-hold-'));
  const [sqs, sink] = [startAsked<Ask, { port: number }>('answer-sqs'), startAsked<Address, unknown>('count-bytes')];
  const { port } = await sqs.ask({ mode: 'up' });
  const sockets = ['ferry', 'sink'].map((name) => join(folder, `${name}.sock`)) as [string, string];
  await sink.ask({ path: sockets[1] });
  const ferry = await startIngress(port, [MOUNT], `unix:${sockets[0]}`);
  const servers = await Promise.all(sockets.map(withSecrets));
  try {
    for (const pressing of PRESSING) await paired(servers, pressing);
    await pressure();
    console.log(
      `load average ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}`,
    );
  } finally {
    await Promise.all(servers.map((bao) => bao.stop()));
    await Promise.all([ferry.stop(), sqs.stop(), sink.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** An OpenBao in memory whose only audit device is the socket. */
async function withSecrets(address: string): Promise<OpenBao> {
  const bao = await startOpenBao({ auditSocket: { type: 'unix', address }, auditFile: false });
  await bao.createKv(MOUNT, 2);
  await load(bao, { clients: 4, writes: PATHS });
  return bao;
}

/** Rounds that take turns in who is first, so that whatever else the machine does hits both. */
async function paired([ferried, bare]: readonly OpenBao[], pressing: Pressing): Promise<void> {
  if (ferried === undefined || bare === undefined) return;
  const [ferryLoads, bareLoads]: [Load[], Load[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = round % 2 === 0;
    if (first) ferryLoads.push(await load(ferried, pressing));
    bareLoads.push(await load(bare, pressing));
    if (!first) ferryLoads.push(await load(ferried, pressing));
  }
  console.log(`OpenBao's KV v2 writes, in memory, unix socket, ${ROUNDS} paired rounds of ${pressing.writes}`);
  console.log(pressing.told);
  for (const [name, loads] of [
    ['vaultferry', ferryLoads],
    ['bare sink ', bareLoads],
  ] as const) {
    const rate = median(loads.map(({ perSecond }) => perSecond)).toFixed(0);
    console.log(`${name}  ${rate} writes/s, p99 ${median(loads.map(({ p99 }) => p99)).toFixed(1)} ms`);
  }
  ratio('of throughput (aim: at least 0.97)', ferryLoads, bareLoads, ({ perSecond }) => perSecond);
  ratio('of p99 (aim: at most 1.15)', ferryLoads, bareLoads, ({ p99 }) => p99);
}

function ratio(what: string, ferried: readonly Load[], bare: readonly Load[], figure: (load: Load) => number): void {
  const ratioOf = (a: readonly number[], b: readonly number[]) =>
    median(a.map((value, index) => value / (b[index] ?? Number.NaN)));
  const [low, high] = bootstrapInterval(ferried.map(figure), bare.map(figure), ratioOf);
  const value = ratioOf(ferried.map(figure), bare.map(figure));
  console.log(`ratio       ${value.toFixed(3)} ${what}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}`);
}

/** Clients that each write one secret after the other. */
async function load(bao: OpenBao, { clients, writes }: Omit<Pressing, 'told'>): Promise<Load> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const times: number[] = [];
  let next = 0;
  const client = async () => {
    while (next < writes) {
      const path = `${MOUNT}/data/load/${next % PATHS}`;
      next += 1;
      const began = performance.now();
      await write(bao, agent, path);
      times.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  return { perSecond: writes / seconds, p99: percentile(times, 0.99) };
}

function write({ address, rootToken }: OpenBao, agent: http.Agent, path: string): Promise<void> {
  const headers = { 'x-vault-token': rootToken };
  return new Promise((resolve, reject) => {
    const request = http.request(`${address}/v1/${path}`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error('OpenBao refused a write')),
      );
    });
    request.once('error', reject);
    request.end('{"data":{"password":"made-up-0123456789"}}');
  });
}
