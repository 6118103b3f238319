import Fastify, { type FastifyInstance } from 'fastify';
import type { Gauges, Metrics } from '../admin/metrics.ts';
import type { Part } from '../admin/readiness.ts';
import { createChangeReader } from '../audit/change.ts';
import { auditMarkers } from '../audit/markers.ts';
import type { Clock } from '../clock.ts';
import type { Config, IngressConfig } from '../config/config.ts';
import { type ConnectionOptions, createConnection } from '../ingress/connection.ts';
import { createDirtyCopies, type Dirty } from '../ingress/dirty.ts';
import { createFunnel } from '../ingress/funnel.ts';
import { createKvVersions, type KvVersions } from '../ingress/kv-versions.ts';
import { createSender, type Sender } from '../ingress/sender.ts';
import { type SocketOptions, socketListener } from '../ingress/socket.ts';
import { createSweepRequests } from '../ingress/sweep-request.ts';
import { type WebhookOptions, webhook } from '../ingress/webhook.ts';
import type { Log } from '../log.ts';
import type { Publisher } from '../queue/ports.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Mount } from '../replicate/source.ts';
import { listenHttp } from './listen-http.ts';

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
}

/** bytes -> lines -> audit entry -> change -> message. */
export function createIngressRole(parts: IngressParts, ingress: IngressConfig): IngressRole {
  const { config, clock, log } = parts;
  const { id: vault } = config.vault;
  const sweeps = createSweepRequests(vault);
  const dirty = createDirtyCopies(MAX_DIRTY, (onQueued) => sweeps.ask('overflow', onQueued));
  const onQueued = ({ about }: Dirty) => log.info({ event: 'change.queued', ...about });
  const sender = createSender({ publisher: parts.publisher, dirty, sweeps, clock, log, onQueued });
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
  const connections = { count: 0 };
  const socket = {
    connect: connector(parts, ingress, funnel.accept, () => sweeps.ask('connection')),
    flush: sender.flush,
    onConnections: (count: number) => {
      connections.count = count;
    },
  };
  const app = Fastify();
  return {
    listen: () => openDoors(app, ingress, { socket, webhook: { funnel, ...sender, clock }, log }),
    run: (signal) => {
      sweeps.ask('start');
      sender.flush();
      return kvVersions.run(signal);
    },
    close: async () => {
      await app.close();
      await sender.drained();
    },
    parts: ingressParts(sender, kvVersions, parts.queueReachable),
    gauges: { dirtyRefs: () => dirty.size, connections: () => connections.count },
  };
}

interface Doors {
  readonly socket: Pick<SocketOptions, 'connect' | 'flush' | 'onConnections'>;
  readonly webhook: Pick<WebhookOptions, 'funnel' | 'flush' | 'reachable' | 'clock'>;
  readonly log: Log;
}

/** Both doors live and close with one Fastify application; its port is open only where the webhook is configured. */
async function openDoors(app: FastifyInstance, ingress: IngressConfig, doors: Doors): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  if (ingress.socket !== false) {
    const { socketMode: mode, socketGroup: group, allow, socket: address } = ingress;
    const onListening = (bound: string) => {
      addresses['socket'] = bound;
    };
    await app.register(socketListener, { ...doors.socket, log: doors.log, address, mode, group, allow, onListening });
  }
  if (ingress.http === undefined) await app.ready();
  else {
    await app.register(webhook, { ...ingress.http, ...doors.webhook });
    addresses['http'] = await listenHttp(app, ingress.http.listen);
  }
  return addresses;
}

const ingressParts = (sender: Sender, kvVersions: KvVersions, queueReachable: () => Promise<boolean>): Part[] => [
  { name: 'ingress.queue', able: async () => sender.reachable() && queueReachable() },
  { name: 'ingress.mounts', able: kvVersions.known },
];

/** A connection's lines go to the funnel; what it read and left unread is counted chunk by chunk. */
function connector(
  { routes, metrics }: IngressParts,
  { maxLineBytes }: IngressConfig,
  onEntry: (entry: Parameters<ConnectionOptions['onEntry']>[0]) => void,
  onVault: () => void,
) {
  const markers = auditMarkers(routes.mounts);
  return (hooks: Pick<ConnectionOptions, 'onVault' | 'onSkipped'>) => {
    const connection = createConnection({
      markers,
      maxLineBytes,
      onEntry,
      onVault() {
        hooks.onVault();
        onVault();
      },
      onMalformed: () => metrics.entry('malformed'),
      onSkipped(bytes) {
        metrics.entry('skipped');
        hooks.onSkipped(bytes);
      },
    });
    return { ...connection, push: counted(connection, metrics) };
  };
}

function counted({ push, counts }: ReturnType<typeof createConnection>, metrics: Metrics): (chunk: Buffer) => void {
  return (chunk) => {
    const before = { ...counts };
    push(chunk);
    metrics.audit(before, counts, counts.handed + counts.skipped - before.handed - before.skipped);
  };
}
