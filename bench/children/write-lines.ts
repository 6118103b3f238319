import { readFileSync } from 'node:fs';
import net from 'node:net';
import { parentPort } from '../child.ts';

/** Writes a file's bytes round and round, as fast as they are taken, and says how long that took. */
export interface Order {
  readonly file: string;
  readonly port: number;
  readonly rounds: number;
}

export interface Written {
  /** From the connection to its end, which the receiver causes once it has read everything. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
}

const SLICE = 1024 * 1024;

async function write({ file, port, rounds }: Order): Promise<Written> {
  const bytes = readFileSync(file);
  const socket = net.connect({ port, host: '127.0.0.1' });
  await new Promise((resolve) => socket.once('connect', resolve));
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  for (let round = 0; round < rounds; round += 1) {
    for (let at = 0; at < bytes.length; at += SLICE) {
      const taken = socket.write(bytes.subarray(at, at + SLICE));
      if (!taken) await new Promise((resolve) => socket.once('drain', resolve));
    }
  }
  socket.resume();
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  return { seconds, cpuSeconds: (user + system) / 1e6, bytes: rounds * bytes.length };
}

parentPort<Order, Written>(write);
