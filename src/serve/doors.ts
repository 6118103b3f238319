import Fastify, { type FastifyInstance } from 'fastify';
import type { Metrics } from '../admin/metrics.ts';
import { createCarryRoom } from '../audit/carry.ts';
import { createMarkerSearch, type MarkerSearch } from '../audit/marker-search.ts';
import { auditMarkers } from '../audit/markers.ts';
import type { Certificate } from '../certificate.ts';
import type { Clock } from '../clock.ts';
import type { IngressConfig } from '../config/config.ts';
import { createAllowList } from '../ingress/allow-list.ts';
import { type ConnectionOptions, createConnection } from '../ingress/connection.ts';
import type { Funnel } from '../ingress/funnel.ts';
import { createRefusals, type Refuse } from '../ingress/refusals.ts';
import { type SocketOptions, socketListener } from '../ingress/socket.ts';
import { createUnreadable } from '../ingress/unreadable.ts';
import { type WebhookOptions, webhook } from '../ingress/webhook.ts';
import type { Log } from '../log.ts';
import type { Routes } from '../replicate/routes.ts';
import { createHttpDoor, HTTP_LIMITS, type HttpDoor } from './http-server.ts';
import { listenHttp } from './listen-http.ts';
import { ingressLocks } from './locks.ts';
import type { Replaceable } from './reload.ts';

/** What the unfinished lines of all connections to the socket may take of the memory, unless two lines need more. */
const UNFINISHED_BYTES = 32 * 1024 * 1024;

export interface DoorsOptions {
  readonly ingress: IngressConfig;
  readonly routes: Routes;
  readonly funnel: Pick<Funnel, 'accept'>;
  /** Called after whatever made something dirty. */
  readonly flush: (awaited?: boolean) => void;
  /** False while SQS cannot be reached. */
  readonly reachable: () => boolean;
  /** The first valid line of a connection. */
  readonly onVault: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Doors {
  /** Binds socket and webhook; resolves to their real addresses. */
  listen(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
  /** Open connections of the audit socket. */
  readonly connections: number;
  readonly replaceable: readonly Replaceable[];
}

/** Both doors live and close with one Fastify application; its port is open only where the webhook is configured. */
export function createDoors(options: DoorsOptions): Doors {
  const { ingress, metrics, clock, log } = options;
  const { authorized, certificate, load, replaceable } = ingressLocks(ingress);
  const refuse = createRefusals({ clock, log, onRefused: metrics.refused });
  const door = httpDoor(ingress, certificate, refuse);
  const app = Fastify({ serverFactory: door.serverFactory });
  const search = createMarkerSearch(auditMarkers(options.routes.mounts));
  const addresses: Record<string, string> = {};
  let connections = 0;
  const onListening = (bound: string) => {
    addresses['socket'] = bound;
  };
  const onConnections = (count: number) => {
    connections = count;
  };
  return {
    async listen() {
      await load();
      const socket = socketOptions(options, search, certificate);
      if (socket !== undefined) await app.register(socketListener, { ...socket, refuse, onConnections, onListening });
      await listenWebhook(
        app,
        { ...options, ...posted(options.metrics), search, authorized, onAuthorized: door.prove },
        addresses,
      );
      return addresses;
    },
    close: () => door.close(app),
    get connections() {
      return connections;
    },
    replaceable,
  };
}

function httpDoor(
  { http, maxConnections }: IngressConfig,
  certificate: Certificate | undefined,
  refuse: Refuse,
): HttpDoor {
  return createHttpDoor({
    limits: { ...HTTP_LIMITS, maxConnections },
    certificate: http?.listen.tls ? certificate : undefined,
    allowed: http?.allow && createAllowList(http.allow),
    onRefused: (reason, remote) => refuse(`http_${reason}`, { remote }),
  });
}

function socketOptions(
  options: DoorsOptions,
  search: MarkerSearch,
  certificate: Certificate | undefined,
): Omit<SocketOptions, 'refuse' | 'onConnections' | 'onListening'> | undefined {
  const { ingress, flush, clock, log } = options;
  const { socket: address, socketMode: mode, socketGroup: group, allow, maxConnections } = ingress;
  if (address === false) return undefined;
  const secured = address.kind === 'tls' ? certificate : undefined;
  const bounds = { mode, group, allow, maxConnections };
  const reading = { buffer: search.buffer, connect: connector(options, search) };
  return { address, certificate: secured, ...bounds, ...reading, flush, clock, log };
}

type Posting = Omit<WebhookOptions, 'rateLimit' | 'maxLineBytes'> & Pick<DoorsOptions, 'ingress'>;

async function listenWebhook(app: FastifyInstance, posting: Posting, addresses: Record<string, string>): Promise<void> {
  const { http, maxLineBytes } = posting.ingress;
  if (http === undefined) await app.ready();
  else {
    await app.register(webhook, { ...posting, rateLimit: http.rateLimit, maxLineBytes });
    addresses['http'] = await listenHttp(app, http.listen);
  }
}

/** How what the webhook read is counted. */
const posted = (metrics: Metrics): Pick<WebhookOptions, 'onRead'> => ({
  onRead({ bytes, irrelevant, malformed, tooLong }) {
    metrics.audit({ bytes: 0, lines: 0 }, { bytes, lines: irrelevant }, 0);
    metrics.entry('malformed', malformed.count);
    metrics.entry('skipped', tooLong.count);
  },
});

/** A connection's lines go to the funnel; what it read and left unread is counted chunk by chunk. */
function connector(options: DoorsOptions, search: MarkerSearch) {
  const { metrics, ingress, funnel, onVault } = options;
  const { maxLineBytes } = ingress;
  const room = createCarryRoom(Math.max(UNFINISHED_BYTES, 2 * maxLineBytes));
  const readability = createUnreadable(options);
  return (hooks: Pick<ConnectionOptions, 'onVault' | 'onSkipped'>) => {
    const { malformed, entry } = readability();
    const connection = createConnection({
      search,
      maxLineBytes,
      room,
      onEntry: (entry) => funnel.accept(entry),
      onVault() {
        entry();
        hooks.onVault();
        onVault();
      },
      onMalformed(lines) {
        malformed(lines);
        metrics.entry('malformed', lines);
      },
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
