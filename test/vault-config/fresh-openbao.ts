import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { baseEnv, type Child, folderFor, startChild } from '../servers/child.ts';
import { ensureServers } from '../servers/install.ts';
import { freePort, onFreePort } from '../servers/ports.ts';
import { configFile } from './files.ts';

export interface FreshOpenBao {
  readonly address: string;
  /** The folder that its storage and logs are below. */
  readonly folder: string;
  readonly auditFile: string;
  /** `host:port` of the receiver that stands where the ingress would. */
  readonly receiver: string;
  /** What the socket audit device sent. */
  received(): string;
  /** Stops it and starts it again at the same address: it is sealed then. */
  restart(): Promise<void>;
}

/**
 * OpenBao in server mode, neither initialised nor unsealed, with the configuration that the demo's compose file gives it;
 * only its paths and addresses are this machine's. With `api`, audit devices are not declared but taken by API, as Vault
 * takes them.
 */
export async function freshOpenBao(t: Test, { api = false } = {}): Promise<FreshOpenBao> {
  const [{ bao }, folder, receiver] = await Promise.all([ensureServers(), folderFor('fresh'), listen(t)]);
  for (const name of ['file', 'logs']) mkdirSync(join(folder.path, name));
  const start = async (port: number): Promise<{ child: Child; port: number }> => {
    const config = join(folder.path, 'openbao.hcl');
    writeFileSync(config, configuration(folder.path, port, await freePort(), receiver.address, api));
    const ready = ({ stdout }: Child): boolean =>
      stdout.lines().some((line) => line.includes('OpenBao server started!'));
    const args = ['server', `-config=${config}`];
    const child = await startChild({ name: 'openbao', command: bao, args, env: baseEnv(), folder, ready });
    return { child, port };
  };
  let running = await onFreePort(start);
  t.teardown(() => running.child.stop());
  return {
    address: `http://127.0.0.1:${running.port}`,
    folder: folder.path,
    auditFile: join(folder.path, 'logs/audit.log'),
    receiver: receiver.address,
    received: receiver.text,
    restart: async () => {
      await running.child.stop();
      running = await start(running.port);
    },
  };
}

function configuration(folder: string, port: number, clusterPort: number, ingress: string, api: boolean): string {
  const given = configFile('server/openbao.hcl');
  const undeclared = `${given.slice(0, given.indexOf('audit "'))}\nunsafe_allow_api_audit_creation = true\n`;
  return (api ? undeclared : given)
    .replaceAll('/openbao/', `${folder}/`)
    .replace('0.0.0.0:8200', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:8200', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:8201', `127.0.0.1:${clusterPort}`)
    .replace('/run/vaultferry/audit.sock', ingress)
    .replace('"unix"', '"tcp"');
}

/** A TCP receiver that keeps what it is sent. */
export async function listen(t: Test) {
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined);
    server.once('close', () => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no TCP port.');
  return { address: `127.0.0.1:${address.port}`, text: () => Buffer.concat(chunks).toString() };
}

export const readText = (path: string): string => readFileSync(path, 'utf8');
