import type { Gauges, Metrics } from '../admin/metrics.ts';
import type { Part } from '../admin/readiness.ts';
import { createChangeReader } from '../audit/change.ts';
import type { Clock } from '../clock.ts';
import type { Config, IngressConfig } from '../config/config.ts';
import { createDirtyCopies, type Dirty, type DirtyCopies, type Overflow } from '../ingress/dirty.ts';
import { createFunnel } from '../ingress/funnel.ts';
import { createKvVersions, type KvVersions } from '../ingress/kv-versions.ts';
import { createSender, type Sender } from '../ingress/sender.ts';
import { createSweepRequests, type SweepRequests } from '../ingress/sweep-request.ts';
import type { Log } from '../log.ts';
import type { Publisher } from '../queue/ports.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Mount } from '../replicate/source.ts';
import { createDoors } from './doors.ts';
import type { Replaceable } from './reload.ts';
import { createUtilization } from './utilization.ts';

/** Copies that may be told apart while SQS is down; past it, one sweep stands for them all. Some 100 MB. */
const MAX_DIRTY = 100_000;

export interface IngressParts {
  readonly config: Config;
  readonly routes: Routes;
  readonly publisher: Publisher;
  /** Whether SQS answers right now. */
  readonly queueReachable: () => Promise<boolean>;
  /** Asks Vault for a mount's entry; used for `kvVersion: auto` alone. */
  readonly mount: (ref: MountRef) => Promise<Mount>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface IngressRole {
  /** Binds socket and webhook; resolves to their real addresses. */
  listen(): Promise<Readonly<Record<string, string>>>;
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Takes in nothing more, and puts on the queue what was taken in. */
  close(): Promise<void>;
  readonly parts: readonly Part[];
  readonly gauges: Gauges;
  /** What SIGHUP replaces. */
  readonly replaceable: readonly Replaceable[];
}

/** bytes -> lines -> audit entry -> change -> message. */
export function createIngressRole(parts: IngressParts, ingress: IngressConfig): IngressRole {
  const { config, clock, log } = parts;
  const { id: vault } = config.vault;
  const sweeps = createSweepRequests(vault, clock.monotonic);
  const dirty = createDirtyCopies(MAX_DIRTY, overflow(parts, sweeps), clock.monotonic);
  const sender = roleSender(parts, dirty, sweeps);
  const kvVersions = createKvVersions(config.routes, {
    ask: parts.mount,
    clock,
    log,
    onKnown() {
      funnel.readAgain();
      sender.flush();
    },
    onChanged() {
      sweeps.ask('mounts');
      sender.flush();
    },
  });
  const read = createChangeReader({ routes: parts.routes.mounts, kvVersion: kvVersions.versionOf });
  const funnel = createFunnel({ ...parts, vault, read, dirty, sweeps, askMounts: kvVersions.askNow });
  const onVault = () => sweeps.ask('connection');
  const doors = createDoors({ ...parts, ...sender, ingress, funnel, onVault });
  return {
    listen: doors.listen,
    run: (signal) => {
      sweeps.ask('start');
      sender.flush();
      return kvVersions.run(signal);
    },
    close: async () => {
      await doors.close();
      await sender.drained();
    },
    parts: ingressParts(sender, kvVersions, parts.queueReachable),
    gauges: {
      dirtyRefs: () => dirty.size,
      oldestDirty: () => Math.max(dirty.oldestFor, sweeps.oldestFor) / 1000,
      connections: () => doors.connections,
    },
    replaceable: doors.replaceable,
  };
}

function roleSender(parts: IngressParts, dirty: DirtyCopies, sweeps: SweepRequests): Sender {
  const { publisher, clock, log, metrics } = parts;
  const onQueued = ({ about }: Dirty) => log.info({ event: 'change.queued', ...about });
  const tell = { onQueued, onRefused: metrics.queueRefused };
  return createSender({ publisher, dirty, sweeps, clock, log, ...tell, utilization: createUtilization() });
}

/** The sweep finds what was let go; that it was is nothing to hide. */
const overflow =
  ({ metrics, log }: IngressParts, sweeps: SweepRequests): Overflow =>
  (onQueued, dropped) => {
    sweeps.ask('overflow', onQueued);
    metrics.dirtyDropped(dropped);
    log.warn({
      event: 'change.dropped',
      copies: dropped,
      text: 'too many changed while SQS took none: a sweep follows',
    });
  };

const ingressParts = (sender: Sender, kvVersions: KvVersions, queueReachable: () => Promise<boolean>): Part[] => [
  { name: 'ingress.queue', able: async () => sender.reachable() && queueReachable() },
  { name: 'ingress.mounts', able: kvVersions.known },
];
