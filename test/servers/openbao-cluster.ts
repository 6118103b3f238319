import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseEnv, type Child, type Folder, folderFor, startChild } from './child.ts';
import { type HoldProxy, startHoldProxy } from './hold-proxy.ts';
import { ensureServers } from './install.ts';
import { accepted, type OpenBaoApi, openBaoApi, send } from './openbao-api.ts';
import { freePort, onFreePort } from './ports.ts';
import { until } from './until.ts';

export interface ClusterOptions {
  /** Where each node's audit device writes to, `HOST:PORT`; the receiver must listen before. */
  readonly auditSocket?: string;
  /** The port of the node that comes last, which is a standby; one of the kernel's choosing unless told. */
  readonly standbyPort?: number;
}

export interface ClusterNode {
  readonly address: string;
  /** Asks this node, whatever it is. */
  readonly api: OpenBaoApi;
  /** It hears nothing of the others any more, and answers from what it knows; within seconds it takes them for dead. */
  hold(): void;
  release(): void;
}

export interface OpenBaoCluster {
  readonly leader: ClusterNode;
  /** Those that answer reads from a copy which follows the leader's. */
  readonly standbys: readonly [ClusterNode, ClusterNode];
  readonly rootToken: string;
  readonly logPaths: readonly string[];
  stop(): Promise<void>;
}

interface Running {
  readonly name: string;
  readonly address: string;
  readonly child: Child;
  readonly proxy: HoldProxy;
}

const NODES = ['one', 'two', 'three'] as const;

/** Three OpenBaos with Raft storage on loopback, initialised and unsealed; the first leads. */
export async function startOpenBaoCluster(options: ClusterOptions = {}): Promise<OpenBaoCluster> {
  const [{ bao }, folder] = await Promise.all([ensureServers(), folderFor('openbao-cluster')]);
  const start = (name: string, leader?: Running): Promise<Running> => startNode({ bao, folder, name, options, leader });
  const first = await start(NODES[0]);
  const { rootToken, unsealKey } = await initialise(first);
  const others = await Promise.all(NODES.slice(1).map((name) => start(name, first)));
  await Promise.all(others.map((other) => follow(other, unsealKey)));
  const running = [first, ...others];
  const [leader, second, third] = running.map((node) => nodeOf(node, rootToken)) as [
    ClusterNode,
    ClusterNode,
    ClusterNode,
  ];
  return {
    leader,
    standbys: [second, third],
    rootToken,
    logPaths: running.flatMap(({ child }) => [child.stdoutPath, child.stderrPath]),
    stop: async () => {
      for (const { proxy } of running) await proxy.close();
      await Promise.all(running.map(({ child }) => child.stop()));
    },
  };
}

const nodeOf = ({ address, proxy }: Running, rootToken: string): ClusterNode => ({
  address,
  api: openBaoApi(address, () => rootToken),
  hold: proxy.hold,
  release: proxy.release,
});

interface NodeOptions {
  readonly bao: string;
  readonly folder: Folder;
  readonly name: string;
  readonly options: ClusterOptions;
  readonly leader: Running | undefined;
}

/** The others reach a node through a proxy, so that a test can keep it from hearing them. */
async function startNode(node: NodeOptions): Promise<Running> {
  const { bao, folder, name, options } = node;
  const begin = async (port: number): Promise<Running> => {
    const clusterPort = await freePort();
    const proxy = await startHoldProxy(clusterPort);
    const place = { path: join(folder.path, name), temporary: false };
    mkdirSync(place.path, { recursive: true });
    const config = join(place.path, 'openbao.hcl');
    writeFileSync(config, configuration(node, { port, clusterPort, proxyPort: proxy.port, path: place.path }), {
      mode: 0o600,
    });
    const child = await startChild({
      name: `openbao-${name}`,
      command: bao,
      args: ['server', `-config=${config}`],
      env: baseEnv(),
      folder: place,
      ready: ({ stdout }) => stdout.lines().some((line) => line.includes('OpenBao server started!')),
    });
    return { name, address: `http://127.0.0.1:${port}`, child, proxy };
  };
  return name === NODES.at(-1) && options.standbyPort !== undefined ? begin(options.standbyPort) : onFreePort(begin);
}

interface Place {
  readonly port: number;
  readonly clusterPort: number;
  readonly proxyPort: number;
  readonly path: string;
}

/** The audit devices are a part of what the nodes share: one that has them otherwise answers nothing by itself. */
function configuration(
  { name, options, leader, folder }: NodeOptions,
  { port, clusterPort, proxyPort, path }: Place,
): string {
  const quoted = (value: string): string => JSON.stringify(value);
  const joining = leader && `retry_join {\n    leader_api_addr = ${quoted(leader.address)}\n  }`;
  const socket = options.auditSocket;
  const auditFile = `${folder.path}/audit.log`;
  return [
    `ui = false\nlog_level = "warn"\napi_addr = "http://127.0.0.1:${port}"\ncluster_addr = "https://127.0.0.1:${proxyPort}"`,
    `storage "raft" {\n  path = ${quoted(path)}\n  node_id = ${quoted(name)}\n  performance_multiplier = 2\n  ${joining ?? ''}\n}`,
    `listener "tcp" {\n  address = "127.0.0.1:${port}"\n  cluster_address = "127.0.0.1:${clusterPort}"\n  tls_disable = true\n}`,
    `audit "file" "file" {\n  options {\n    file_path = ${quoted(auditFile)}\n  }\n}`,
    socket &&
      `audit "socket" "vaultferry" {\n  options {\n    address = ${quoted(socket)}\n    socket_type = "tcp"\n  }\n}`,
  ].join('\n');
}

interface Keys {
  readonly rootToken: string;
  readonly unsealKey: string;
}

async function initialise({ address }: Running): Promise<Keys> {
  const answer = await send(`${address}/v1/sys/init`, 'PUT', { secret_shares: 1, secret_threshold: 1 });
  const made = accepted(answer, 'PUT', 'sys/init').body as { root_token: string; keys: readonly string[] };
  const keys = { rootToken: made.root_token, unsealKey: made.keys[0] ?? '' };
  accepted(await send(`${address}/v1/sys/unseal`, 'PUT', { key: keys.unsealKey }), 'PUT', 'sys/unseal');
  await until(async () => (await health(address)) === 200, { what: 'the first node to lead' });
  return keys;
}

/** A node that joins is not initialised until the leader has answered it; then it wants the key as well. */
async function follow({ address, name }: Running, key: string): Promise<void> {
  await until(
    async () => {
      await send(`${address}/v1/sys/unseal`, 'PUT', { key });
      return (await health(address)) === 429; // unsealed, and a standby
    },
    { what: `node ${name} to follow`, deadline: 20_000, interval: 100 },
  );
}

const health = async (address: string): Promise<number> => (await send(`${address}/v1/sys/health`, 'GET')).status;
