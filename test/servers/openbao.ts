import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseEnv, type Child, type Exit, type Folder, folderFor, startChild } from './child.ts';
import { ensureServers } from './install.ts';
import { accepted, type OpenBaoApi, openBaoApi, send } from './openbao-api.ts';
import { freePort, onFreePort } from './ports.ts';
import { until } from './until.ts';

export interface OpenBaoOptions {
  /** The receiver must listen before OpenBao starts: it tests each device, and does not start without. */
  readonly auditSocket?: { readonly type: 'tcp' | 'unix'; readonly address: string };
  /** A device that posts each entry; the file holds the Authorization header's value. */
  readonly auditHttp?: { readonly uri: string; readonly authorizationFile: string };
  /** A second device, a file; on unless told. */
  readonly auditFile?: boolean;
  /** Audit lines with values in plain text. */
  readonly logRaw?: boolean;
  /** Where configuration, logs and storage go; a temporary folder unless told. */
  readonly dir?: string;
  /** `inmem` unless told; `raft` outlives a restart, and SIGKILL. */
  readonly storage?: 'inmem' | 'raft';
  readonly port?: number;
}

export interface OpenBao extends OpenBaoApi {
  readonly address: string;
  readonly rootToken: string;
  readonly auditFilePath: string | undefined;
  /** OpenBao's own log, for leak searches. */
  readonly logPaths: readonly string[];
  stop(): Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it, if it still runs, and starts it again, unsealed, at the same address; storage `raft` only. */
  restart(): Promise<void>;
}

interface Keys {
  readonly rootToken: string;
  readonly unsealKey: string;
}

/** Starts an OpenBao that is no development server: initialised with one key share and unsealed, nothing else enabled. */
export async function startOpenBao(options: OpenBaoOptions = {}): Promise<OpenBao> {
  const [{ bao }, folder] = await Promise.all([ensureServers(), folderFor('openbao', options.dir)]);
  const begin = (port: number): Promise<Started> => startOn(port, bao, folder, options);
  const started = options.port === undefined ? await onFreePort(begin) : await begin(options.port);
  const { address } = started;
  let { child } = started;
  const keys = await activated(child, () => initialise(address));
  const restart = async (): Promise<void> => {
    if (options.storage !== 'raft')
      throw new Error("OpenBao forgets everything in a restart: give it storage: 'raft'.");
    await child.stop();
    ({ child } = await begin(started.port));
    await activated(child, () => unseal(address, keys));
  };
  return {
    ...openBaoApi(address, () => keys.rootToken),
    address,
    rootToken: keys.rootToken,
    auditFilePath: auditFile(folder, options),
    logPaths: [child.stdoutPath, child.stderrPath],
    stop: () => child.stop(),
    kill: (signal) => child.kill(signal),
    restart,
  };
}

interface Started {
  readonly child: Child;
  readonly address: string;
  readonly port: number;
}

async function startOn(port: number, bao: string, folder: Folder, options: OpenBaoOptions): Promise<Started> {
  const config = join(folder.path, 'openbao.hcl');
  writeFileSync(config, configuration(port, await freePort(), folder, options), { mode: 0o600 });
  const child = await startChild({
    name: 'openbao',
    command: bao,
    args: ['server', `-config=${config}`],
    env: baseEnv(),
    folder,
    ready: ({ stdout }) => stdout.lines().some((line) => line.includes('OpenBao server started!')),
  });
  return { child, address: `http://127.0.0.1:${port}`, port };
}

function configuration(port: number, clusterPort: number, folder: Folder, options: OpenBaoOptions): string {
  const { storage = 'inmem', auditSocket: socket, auditHttp: http, logRaw = false } = options;
  const quoted = (value: string): string => JSON.stringify(value);
  const raw = `log_raw = "${logRaw}"`;
  const file = auditFile(folder, options);
  const raft = `path = ${quoted(folder.path)}\n  node_id = "vaultferry"\n  performance_multiplier = 1`;
  const stored = storage === 'raft' ? raft : '';
  const headers = http && JSON.stringify({ Authorization: [`file://${http.authorizationFile}`] });
  const httpOptions = http && `uri = ${quoted(http.uri)}\n    headers = ${quoted(headers ?? '')}\n    ${raw}`;
  const socketOptions = socket && `address = ${quoted(socket.address)}\n    socket_type = "${socket.type}"\n    ${raw}`;
  return [
    `ui = false\nlog_level = "warn"\napi_addr = "http://127.0.0.1:${port}"\ncluster_addr = "https://127.0.0.1:${clusterPort}"`,
    `storage "${storage}" {\n  ${stored}\n}`,
    `listener "tcp" {\n  address = "127.0.0.1:${port}"\n  cluster_address = "127.0.0.1:${clusterPort}"\n  tls_disable = true\n}`,
    file && `audit "file" "file" {\n  options {\n    file_path = ${quoted(file)}\n    ${raw}\n  }\n}`,
    socketOptions && `audit "socket" "vaultferry" {\n  options {\n    ${socketOptions}\n  }\n}`,
    httpOptions && `audit "http" "vaultferry-http" {\n  options {\n    ${httpOptions}\n  }\n}`,
  ].join('\n');
}

const auditFile = (folder: Folder, { auditFile = true }: OpenBaoOptions): string | undefined =>
  auditFile ? join(folder.path, 'audit.log') : undefined;

async function initialise(address: string): Promise<Keys> {
  const answer = await send(`${address}/v1/sys/init`, 'PUT', { secret_shares: 1, secret_threshold: 1 });
  const made = accepted(answer, 'PUT', 'sys/init').body as { root_token: string; keys: readonly string[] };
  const keys = { rootToken: made.root_token, unsealKey: made.keys[0] ?? '' };
  await unseal(address, keys);
  return keys;
}

async function unseal(address: string, { unsealKey }: Keys): Promise<void> {
  accepted(await send(`${address}/v1/sys/unseal`, 'PUT', { key: unsealKey }), 'PUT', 'sys/unseal');
  await until(async () => (await send(`${address}/v1/sys/health`, 'GET')).status === 200, {
    what: 'OpenBao to be active',
  });
}

/** OpenBao tells the reason of a failed activation in its log alone, where a dead audit receiver is the likeliest. */
async function activated<T>(child: Child, activate: () => Promise<T>): Promise<T> {
  try {
    return await activate();
  } catch (error) {
    await child.stop();
    const log = child.stderr.lines().slice(-12).join('\n');
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\nIs the audit device's receiver listening? OpenBao's log:\n${log}`, { cause: error });
  }
}
