import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenBao, startOpenBao } from '../servers/openbao.ts';
import type { Written } from '../servers/openbao-api.ts';
import { type Queues, type Roto, startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';
import { type Aws, type Copy, createAws } from './aws.ts';
import { type Canaries, createCanaries } from './canaries.ts';
import { createFerries, type Ferries, type FerryOptions, type Sections } from './ferries.ts';
import { findLeaks } from './leaks.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { auditSocket, configOf, holdPort, policyFor, prepare, REPLICATOR, type RouteSection } from './setting.ts';
import { isEqual, nameOf, type Ref, readSource, refOf } from './source.ts';

export interface WorldOptions {
  /** As in the configuration; the mounts are made. One route of the mount `kv` unless told. */
  readonly routes?: readonly RouteSection[];
  readonly socket?: 'tcp' | 'unix';
  /** The processes by name; one of all roles, called `ferry`, unless told. */
  readonly ferries?: Readonly<Record<string, FerryOptions>>;
  /** Laid over every process's configuration. */
  readonly config?: Sections;
  /** The id of VaultFerry's token; a random one unless told. */
  readonly token?: string;
  /** OpenBao and the emulator outlive restarts. */
  readonly lasting?: boolean;
}

/** OpenBao, the AWS emulator and VaultFerry, wired as the documentation says and driven from outside. */
export interface World {
  readonly bao: OpenBao;
  readonly roto: Roto;
  readonly aws: Aws;
  readonly queues: Queues;
  readonly ferries: Ferries;
  readonly canaries: Canaries;
  readonly recorder: Recorder;
  /** The token that VaultFerry has. */
  readonly token: string;
  configText(over?: Sections): string;
  /** Where the audit device writes to, as in the configuration. */
  socket(): string;
  /** Writes a secret: a canary under `password` unless told otherwise. JSON text keeps its spelling. */
  write(ref: Ref | string, body?: unknown): Promise<Written>;
  /** Waits until each copy's value and version are what OpenBao has. Milliseconds; 30 s unless told. */
  equal(refs: readonly (Ref | string)[], deadline?: number): Promise<void>;
  /** Waits for a copy of this name that `accept` takes. */
  copy(name: string, accept?: (copy: Copy) => boolean, deadline?: number): Promise<Copy>;
  /** Waits until the queue is empty and nothing in flight: what has not happened by then never will. */
  settled(deadline?: number): Promise<void>;
  /** Where a canary was found that should not be there: place and spelling. */
  leaks(): Promise<string[]>;
  end(): Promise<void>;
}

/** Starts everything, and waits until VaultFerry is ready and its first sweep is over: from then on, only pushes. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { routes = [{ mount: 'kv', kvVersion: 2 }], lasting = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'vaultferry-world-'));
  const roto = await startRoto(lasting ? { dataDir: join(folder, 'roto') } : {});
  const [queues, recorder, held] = await Promise.all([
    roto.createQueues({ name: 'e2e' }),
    startRecorder(roto.endpoint),
    holdPort(),
  ]);
  const { token = `replicator-${randomBytes(12).toString('hex')}` } = options;
  const socket = { address: options.socket === 'unix' ? `unix:${folder}/audit.sock` : 'tcp://127.0.0.1:0' };
  const configText = configOf({ over: options.config ?? {}, routes, vaultPort: held.port, queues, socket });
  const env = { ...roto.env, AWS_ENDPOINT_URL: recorder.endpoint, VAULT_TOKEN: token };
  const ferries = await createFerries(configText, env, ({ ready }) => {
    if (socket.address.endsWith(':0') && typeof ready['socket'] === 'string') socket.address = ready['socket'];
  });
  const first = Object.entries(options.ferries ?? { ferry: {} });
  await Promise.all(first.map(([name, ferry]) => ferries.start(name, ferry)));
  await held.release();
  const bao = await startOpenBao({
    port: held.port,
    auditSocket: auditSocket(socket.address),
    ...(lasting && { storage: 'raft', dir: join(folder, 'bao') }),
  });
  await prepare(bao, routes, token, policyFor(routes));
  const aws = createAws(roto.client, queues);
  const canaries = createCanaries();
  const world: World = {
    ...{ bao, roto, aws, queues, ferries, canaries, recorder, token },
    ...waits(bao, aws),
    configText: (over = {}) => configText(over),
    socket: () => socket.address,
    write: (ref, body = { password: canaries.next() }) => {
      const { mount, path, namespace = '' } = refOf(ref);
      return bao.put(mount, path, body, namespace);
    },
    leaks: () => findLeaks({ canaries, ferries, recorder, aws }),
    end: async () => {
      await ferries.end();
      aws.close();
      await Promise.all([bao.stop(), roto.end(), recorder.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (const [name] of first) await isReady(world, name, () => bao.makeToken(token, REPLICATOR));
  await world.settled();
  return world;
}

/** Waits until the process says that it is able to work. @param meanwhile done before each try */
export const isReady = (
  { ferries }: Pick<World, 'ferries'>,
  name: string,
  meanwhile = async (): Promise<void> => {},
): Promise<boolean> =>
  until(
    async () => {
      await meanwhile();
      return (await ferries.ask(name, 'admin', '/readyz')).status === 200;
    },
    { what: `${name} to be ready`, interval: 100 },
  );

function waits(bao: OpenBao, aws: Aws): Pick<World, 'equal' | 'copy' | 'settled'> {
  return {
    equal: async (refs, deadline = 30_000) => {
      for (const ref of refs.map(refOf)) {
        const what = `${ref.mount}/${ref.path} to be equal at both ends`;
        await until(async () => isEqual(await readSource(bao, ref), await aws.copy(nameOf(ref))), { what, deadline });
      }
    },
    copy: (name, accept = () => true, deadline = 30_000) =>
      until(
        async () => {
          const copy = await aws.copy(name);
          return copy !== undefined && accept(copy) && copy;
        },
        { what: `the copy ${name} to be as expected`, deadline },
      ) as Promise<Copy>,
    settled: async (deadline = 30_000) => {
      await until(async () => (await aws.waiting()) === 0, { what: 'the queue to be empty', deadline });
    },
  };
}
