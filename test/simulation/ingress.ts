import { createChangeReader } from '../../src/audit/change.ts';
import { parseEntry } from '../../src/audit/entry.ts';
import { createDirtyCopies } from '../../src/ingress/dirty.ts';
import { createFunnel } from '../../src/ingress/funnel.ts';
import { createSender } from '../../src/ingress/sender.ts';
import { createSweepRequests } from '../../src/ingress/sweep-request.ts';
import { publisher } from './ports.ts';
import type { Process } from './scheduler.ts';
import type { WorkerWorld } from './worker.ts';

export interface Ingress {
  accept(line: string): void;
  /** Whether everything that came in is on the queue. */
  idle(): boolean;
}

/** One ingress process, from a whole line to the queue. It asks for a sweep when it starts. */
export function startIngress(world: WorkerWorld, process: Process): Ingress {
  const { config, routes, ends, queue } = world;
  const vault = config.vault.id;
  const log = world.log(process);
  const clock = world.scheduler.clockOf(process);
  const sweeps = createSweepRequests(vault);
  const dirty = createDirtyCopies(100, (onQueued) => sweeps.ask('overflow', onQueued));
  const sending = publisher(ends, process, 'queue', queue);
  const told = { onQueued: () => undefined, onRefused: () => undefined };
  const sender = createSender({ publisher: sending, dirty, sweeps, clock, log, ...told });
  const read = createChangeReader({ routes: routes.mounts, kvVersion: world.kvVersion });
  const metrics = { entry: () => undefined, change: () => undefined };
  const funnel = createFunnel({ vault, read, routes, dirty, sweeps, log, metrics, askMounts: () => undefined });
  sweeps.ask('start');
  sender.flush();
  return {
    accept(line) {
      const entry = parseEntry(Buffer.from(line));
      if (entry === undefined) throw new TypeError('the simulation wrote a line that is none');
      funnel.accept(entry);
      sender.flush();
    },
    idle: () => dirty.size === 0 && !sweeps.pending,
  };
}
