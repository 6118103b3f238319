import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditLines, auditLines, type Mix } from './audit-lines.ts';
import { type Asked, cpuSecondsOf, memoryOf, startAsked } from './child.ts';
import type { Ask } from './children/answer-sqs.ts';
import type { Address } from './children/count-bytes.ts';
import type { Order, Written } from './children/write-lines.ts';
import { startIngress } from './start-ingress.ts';
import { bootstrapInterval, median } from './statistics.ts';

const PAIRS = 9;
const LINES = 1_000_000;
/** What the sender writes round and round. */
const BUFFERED_LINES = 20_000;
const MANY_LINES = 10_000_000;

const mounts = (count: number) => Array.from({ length: count }, (_, number) => `team-${number}/kv`);
const USUAL: Mix = { writes: 0.001, reads: 0, requests: 0, mounts: mounts(1) };
const BUSY: Mix = { writes: 0.1, reads: 0.25, requests: 0.25, mounts: mounts(20) };

/** Other programs, measured by their own means on a machine like this one; only the order of magnitude compares. */
const PEERS = `for comparison, measured elsewhere: vault-secret-sync (Go) 43k lines/s, 58 MB/s (none relevant);
vault-sync (Rust) 492k lines/s, 657 MB/s (none relevant), 395k lines/s, 527 MB/s (0.1 % relevant)`;

interface Run extends Written {
  readonly receiverCpu: number;
}

/** How fast the socket takes audit lines in, beside a reader that only counts bytes; in pairs, taking turns. */
export async function ingest(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vf-ingest-'));
  const bare = startAsked<Address, { port: number }>('count-bytes');
  try {
    const { port } = await bare.ask({ port: 0 });
    const reader = { pid: bare.pid, port };
    await usual(join(folder, 'usual'), reader);
    await busy(join(folder, 'busy'), reader);
    console.log(PEERS);
    console.log(
      `load average ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}`,
    );
  } finally {
    await bare.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Receiver {
  readonly pid: number;
  readonly port: number;
}

async function usual(file: string, bare: Receiver): Promise<void> {
  const lines = auditLines(BUFFERED_LINES, USUAL);
  console.log(`${LINES.toLocaleString('en')} lines, ${average(lines)} B on average, 0.1 % relevant, 1 route`);
  await withFerry(USUAL, lines, file, async (ferry) => {
    await compare(file, lines, ferry, bare);
    const { now } = memoryOf(ferry.pid);
    await run(file, ferry, MANY_LINES / lines.lines);
    const after = memoryOf(ferry.pid);
    console.log(
      `memory       peak ${after.peak.toFixed(0)} MB; ${now.toFixed(0)} MB before and ${after.now.toFixed(0)} MB after ten million more lines (aim: at most 130, no growth)\n`,
    );
  });
}

async function busy(file: string, bare: Receiver): Promise<void> {
  const lines = auditLines(BUFFERED_LINES, BUSY);
  console.log(
    `${LINES.toLocaleString('en')} lines, ${average(lines)} B on average: 25 % reads and 25 % request entries of routed mounts, 10 % relevant, 20 routes`,
  );
  await withFerry(BUSY, lines, file, async (ferry) => {
    await compare(file, lines, ferry, bare);
    console.log(`memory       peak ${memoryOf(ferry.pid).peak.toFixed(0)} MB (aim: 100,000 lines/s)\n`);
  });
}

const average = ({ bytes, lines }: AuditLines) => (bytes.length / lines).toFixed(0);

async function withFerry(mix: Mix, { bytes }: AuditLines, file: string, act: (ferry: Receiver) => Promise<void>) {
  writeFileSync(file, bytes);
  const sqs = startAsked<Ask, { port: number }>('answer-sqs');
  const { port } = await sqs.ask({ mode: 'up' });
  const ferry = await startIngress(port, mix.mounts, 'tcp://127.0.0.1:0');
  try {
    await act({ pid: ferry.pid, port: Number(new URL(String(ferry.ready['socket'])).port) });
  } finally {
    await Promise.all([ferry.stop(), sqs.stop()]);
  }
}

/** Runs of both, taking turns in who is first. */
async function compare(file: string, { lines }: AuditLines, ferry: Receiver, bare: Receiver): Promise<void> {
  const rounds = LINES / lines;
  await run(file, bare, rounds / 5);
  await run(file, ferry, rounds / 5);
  const [ferried, counted]: [Run[], Run[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const first = pair % 2 === 0;
    if (first) ferried.push(await run(file, ferry, rounds));
    counted.push(await run(file, bare, rounds));
    if (!first) ferried.push(await run(file, ferry, rounds));
  }
  const row = (name: string, runs: readonly Run[]) => {
    const rate = median(runs.map(bytesPerSecond));
    const perLine = (runs[0]?.bytes ?? Number.NaN) / LINES;
    const perGb = (cpu: (run: Run) => number) => median(runs.map((one) => (cpu(one) / one.bytes) * 1e9)).toFixed(2);
    console.log(
      `${name} ${(rate / 1e6).toFixed(0).padStart(5)} MB/s ${(rate / perLine / 1e3).toFixed(0).padStart(5)}k lines/s; CPU seconds per GB: reader ${perGb(({ receiverCpu }) => receiverCpu)}, sender ${perGb(({ cpuSeconds }) => cpuSeconds)}`,
    );
  };
  row('vaultferry  ', ferried);
  row('bare reader ', counted);
  ratio('of bytes per second', ferried.map(bytesPerSecond), counted.map(bytesPerSecond));
  ratio('of bytes per CPU second', ferried.map(bytesPerCpuSecond), counted.map(bytesPerCpuSecond));
}

const bytesPerSecond = ({ bytes, seconds }: Run) => bytes / seconds;
const bytesPerCpuSecond = ({ bytes, receiverCpu }: Run) => bytes / receiverCpu;

function ratio(what: string, ferried: readonly number[], counted: readonly number[]): void {
  const ratioOf = (a: readonly number[], b: readonly number[]) =>
    median(a.map((rate, index) => rate / (b[index] ?? Number.NaN)));
  const [low, high] = bootstrapInterval(ferried, counted, ratioOf);
  console.log(
    `ratio        ${ratioOf(ferried, counted).toFixed(2)} ${what} (95 % interval ${low.toFixed(2)} to ${high.toFixed(2)})`,
  );
}

/** One connection, from a sender of its own. */
async function run(file: string, { pid, port }: Receiver, rounds: number): Promise<Run> {
  const sender: Asked<Order, Written> = startAsked('write-lines');
  try {
    const before = cpuSecondsOf(pid);
    const written = await sender.ask({ file, port, rounds });
    return { ...written, receiverCpu: cpuSecondsOf(pid) - before };
  } finally {
    await sender.stop();
  }
}
