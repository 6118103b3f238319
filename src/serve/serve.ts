import Fastify from 'fastify';
import { createMetrics, type Metrics } from '../admin/metrics.ts';
import { createReadiness } from '../admin/readiness.ts';
import { admin } from '../admin/server.ts';
import { sqsClient } from '../aws/clients.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { asksVault, type Role } from '../config/roles.ts';
import { ReplicationError } from '../errors.ts';
import type { Log, ServiceLog } from '../log.ts';
import { createPublisher, isReachable } from '../queue/sqs.ts';
import { createRoutes } from '../replicate/routes.ts';
import type { VaultSource } from '../vault/source.ts';
import { checkRegions } from './check-regions.ts';
import { createHttpDoor, HTTP_LIMITS } from './http-server.ts';
import type { createIngressRole, IngressRole } from './ingress-role.ts';
import { listenHttp } from './listen-http.ts';
import { adminLocks, type Locks } from './locks.ts';
import { QueueUnfit } from './queue-check.ts';
import { createReload } from './reload.ts';
import type { vaultSource } from './vault-source.ts';
import type { createWorkerRole, WorkerRole } from './worker-role.ts';

/** The whole way down may take this long, in ms; then the rest is left to SQS, which hands it out again. */
const STOP_WITHIN = 18_000;
/** To the administration endpoint at once. */
const ADMIN_CONNECTIONS = 64;

export interface ServeOptions {
  readonly config: Config;
  readonly roles: ReadonlySet<Role>;
  readonly log: ServiceLog;
  /** AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_SQS is set. */
  readonly endpointChosen: boolean;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Reads the configuration again. Throws a ConfigError. */
  readonly load: () => Promise<Config>;
  /** Calls the listener at each SIGHUP. */
  readonly onHangup: (listener: () => void) => void;
}

/** Runs the roles until the signal aborts. Returns the exit code: 0, 1 when a listener cannot bind, 2 when the queues are unfit. */
export async function serve(options: ServeOptions): Promise<number> {
  const { config, log, signal } = options;
  await checkRegions(config, options);
  const house = await build(options);
  const stopping = new AbortController();
  try {
    await house.listen();
  } catch (error) {
    log.error({ event: 'listen.failed', text: error instanceof Error ? error.message : 'cannot listen' });
    await within(house.close(), systemClock);
    return 1;
  }
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  const ended = await Promise.race([aborted, house.run(stopping.signal)]).catch((error: unknown) => error);
  stopping.abort();
  await within(house.close(), systemClock);
  const code = exitCode(ended, log);
  log.announce({ event: 'stopped' });
  return code;
}

function exitCode(ended: unknown, log: Log): number {
  if (ended === 'aborted') return 0;
  if (!(ended instanceof QueueUnfit)) {
    log.error({ event: 'crashed', err: ended });
    return 1;
  }
  for (const text of ended.problems) log.error({ event: 'queue.unfit', text });
  return 2;
}

const within = (closing: Promise<unknown>, clock: Clock) => Promise.race([closing, clock.sleep(STOP_WITHIN)]);

interface House {
  listen(): Promise<void>;
  run(signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * The composition root: configuration -> clients -> roles. Closed in the reverse order. What only one role needs is loaded
 * with it, which spares an ingress beside Vault the memory of a worker's libraries.
 */
async function build({ config, roles, log, endpointChosen, load, onHangup }: ServeOptions): Promise<House> {
  const metrics = createMetrics();
  metrics.keepDriftFor(2 * config.sweep.every);
  const sqs = sqsClient(endpointChosen);
  const routes = createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret);
  const publisher = createPublisher(sqs, config.queue.url);
  const source = asksVault(config, roles) ? await openVault(config, log) : undefined;
  const shared = { config, routes, publisher, clock: systemClock, log, metrics };
  const queueReachable = () => isReachable(sqs, config.queue.url);
  const ingress = roles.has('ingress') && config.ingress !== false ? config.ingress : undefined;
  const doors = ingress && (await openDoors({ ...shared, mount: mountOf(source), queueReachable }, ingress));
  const worker = roles.has('worker') && source ? await openWorker({ ...shared, sqs, source }) : undefined;
  const locks = adminLocks(config.admin);
  const { app, close } = adminApp(locks, [doors, worker], metrics);
  onHangup(createReload({ config, load, parts: [...locks.replaceable, ...(doors?.replaceable ?? [])], log }));
  return {
    async listen() {
      await locks.load();
      const addresses = { admin: await listenHttp(app, config.admin.listen), ...(await doors?.listen()) };
      const running = [...(doors ? ['ingress'] : []), ...(worker ? ['worker'] : [])];
      log.announce({ event: 'ready', roles: running, vault: config.vault.id, ...addresses });
    },
    run(signal) {
      source?.renew();
      return Promise.all([doors?.run(signal), worker?.run(), neverSettling()]);
    },
    async close() {
      await Promise.all([doors?.close(), worker?.close()]);
      await source?.close();
      await close();
    },
  };
}

const openVault: typeof vaultSource = async (...args) => (await import('./vault-source.ts')).vaultSource(...args);
const openDoors = async (...args: Parameters<typeof createIngressRole>) =>
  (await import('./ingress-role.ts')).createIngressRole(...args);
const openWorker = async (...args: Parameters<typeof createWorkerRole>) =>
  (await import('./worker-role.ts')).createWorkerRole(...args);

const neverSettling = () => new Promise<never>(() => undefined);

/** Only `kvVersion: auto` asks, and where that is configured so is a Vault to ask. */
const mountOf = (source: VaultSource | undefined) => async (ref: Parameters<VaultSource['mount']>[0]) => {
  if (source !== undefined) return source.mount(ref);
  throw new ReplicationError('source_unavailable', 'no vault.address is configured to ask for the KV version');
};

function adminApp(locks: Locks, roles: readonly (IngressRole | WorkerRole | undefined)[], metrics: Metrics) {
  const running = roles.filter((role) => role !== undefined);
  for (const { gauges } of running) metrics.addGauges(gauges);
  const readiness = createReadiness(
    running.flatMap(({ parts }) => parts),
    systemClock,
  );
  const limits = { ...HTTP_LIMITS, maxConnections: ADMIN_CONNECTIONS };
  const door = createHttpDoor({ limits, certificate: locks.certificate });
  const app = Fastify({ serverFactory: door.serverFactory });
  const oldestDirty = running.map(({ gauges }) => gauges.oldestDirty).find((age) => age !== undefined);
  app.register(admin, { readiness, registry: metrics.registry, authorized: locks.authorized, oldestDirty });
  return { app, close: () => door.close(app) };
}
