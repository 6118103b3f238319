import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort } from '../child.ts';

/** Writes lines at a steady pace, as Vault does, and measures how long the kernel does not take one. */
export type Probe = { readonly file: string; readonly path: string } | 'result';

export interface Waits {
  readonly lines: number;
  /** Milliseconds. */
  readonly longest: number;
}

const LINES_PER_TURN = 4;
const EVERY_MS = 2;

let stopped = false;
let running: Promise<Waits> | undefined;

async function write({ file, path }: Exclude<Probe, 'result'>): Promise<Waits> {
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(`${line}\n`));
  const socket = net.connect(path);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let [written, longest] = [0, 0];
  while (!stopped) {
    for (let turn = 0; turn < LINES_PER_TURN; turn += 1) {
      const began = performance.now();
      const taken = () => {
        longest = Math.max(longest, performance.now() - began);
      };
      socket.write(lines[written % lines.length] ?? '', () => isHeld && taken());
      const isHeld = socket.writableLength > 0; // else the kernel has it, and Vault would go on
      written += 1;
    }
    await delay(EVERY_MS);
  }
  socket.destroy();
  return { lines: written, longest };
}

parentPort<Probe, Waits>(async (probe) => {
  if (probe !== 'result') running = write(probe);
  else stopped = true;
  return probe === 'result' && running !== undefined ? running : { lines: 0, longest: 0 };
});
