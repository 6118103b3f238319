import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type OpenBao, startOpenBao } from '../servers/openbao.ts';
import { accepted } from '../servers/openbao-api.ts';
import { freePort } from '../servers/ports.ts';
import { projectRoot } from '../servers/root.ts';
import { type Queues, type Roto, startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';
import { startVaultFerry, type VaultFerry } from '../servers/vaultferry.ts';

export const MOUNT = 'hybrid-aws-secrets';

const OWN_POLICY = 'vaultferry';
/** All that VaultFerry needs in OpenBao beside the default policy: to read the secrets, and to list their names. */
const POLICY = `
path "${MOUNT}/data/*" { capabilities = ["read"] }
path "${MOUNT}/metadata/*" { capabilities = ["list"] }`;

/** Everything between a write and its copy, running. */
export interface Corridor {
  /** Holds logs, the configuration and the files below. */
  readonly folder: string;
  readonly bao: OpenBao;
  readonly roto: Roto;
  readonly secrets: SecretsManagerClient;
  /** The VaultFerry that runs now. */
  readonly ferry: () => VaultFerry;
  /** SIGTERM; done once it has ended well. */
  readonly stopFerry: () => Promise<void>;
  /** With the same configuration; done once it listens. */
  readonly startFerry: () => Promise<void>;
  /** Ends everything at once: all of it lives in memory, so nothing is lost that would be missed. */
  readonly end: () => Promise<void>;
}

/**
 * Starts OpenBao, the emulator and VaultFerry. VaultFerry comes before OpenBao, which does not start unless its audit
 * device finds a receiver; so it is given a token that OpenBao will know only later, and asks until it does.
 */
export async function startCorridor(folder: string): Promise<Corridor> {
  const [roto, port] = await Promise.all([startRoto({ dir: folder }), freePort()]);
  const config = configuration(folder, port, await roto.createQueues({ name: 'vaultferry' }));
  const token = `demo-${randomUUID()}`;
  writeFileSync(configPath(folder), config);
  writeFileSync(tokenPath(folder), token, { mode: 0o600 });
  const startFerry = (): Promise<VaultFerry> => startVaultFerry({ config, env: roto.env, dir: folder });
  let ferry = await startFerry();
  const auditSocket = { type: 'unix', address: socketPath(folder) } as const;
  const bao = await startOpenBao({ auditSocket, dir: folder, port });
  writeFileSync(headerPath(folder), `X-Vault-Token: ${bao.rootToken}\n`, { mode: 0o600 });
  await openTheMount(bao, token);
  await ready(ferry, bao, token);
  const secrets = new SecretsManagerClient(roto.client);
  return {
    folder,
    bao,
    roto,
    secrets,
    ferry: () => ferry,
    stopFerry: async () => {
      const { code, signal } = await ferry.stop();
      if (code !== 0) throw new Error(`VaultFerry ended with ${code ?? signal} instead of 0`);
    },
    startFerry: async () => {
      ferry = await startFerry();
    },
    end: async () => {
      secrets.destroy();
      for (const server of [ferry, bao, roto]) server.kill('SIGKILL');
      await Promise.all([ferry.exited(), bao.stop(), roto.stop()]);
    },
  };
}

/** Makes the token that VaultFerry already holds, then the mount: a new mount makes it ask for the KV version at once. */
async function openTheMount({ request, createKv, makeToken }: OpenBao, token: string): Promise<void> {
  const path = `sys/policies/acl/${OWN_POLICY}`;
  accepted(await request('POST', path, { policy: POLICY }), 'POST', path);
  await makeToken(token, OWN_POLICY);
  await createKv(MOUNT, 2);
}

/** Waits until VaultFerry is let in and able to work. */
async function ready({ ready: { admin } }: VaultFerry, { makeToken }: OpenBao, token: string): Promise<void> {
  const ask = async (): Promise<boolean> => {
    await makeToken(token, OWN_POLICY);
    return (await fetch(`${admin}/readyz`)).ok;
  };
  await until(ask, { what: 'VaultFerry to be ready', deadline: 20_000, interval: 50 });
}

const socketPath = (folder: string): string => join(folder, 'audit.sock');
const tokenPath = (folder: string): string => join(folder, 'vaultferry-token');

/** The file with OpenBao's root token as a header, for `curl -H @FILE`. */
export const headerPath = (folder: string): string => join(folder, 'vault-header');

export const configPath = (folder: string): string => join(folder, 'vaultferry.yaml');

const configuration = (folder: string, port: number, { url, deadLetterUrl }: Queues): string => `\
vault:
  address: http://127.0.0.1:${port}
  auth: { method: token, tokenFile: ${JSON.stringify(tokenPath(folder))} }
ingress:
  socket: ${JSON.stringify(`unix:${socketPath(folder)}`)}
admin:
  listen: http://127.0.0.1:0
queue:
  url: ${url}
  deadLetterUrl: ${deadLetterUrl}
routes:
  - { mount: ${MOUNT} }
sweep: { minGap: 0s }
`;

/** The pinned version of a server program. */
export function pinned(name: string): string {
  const requirements = readFileSync(join(projectRoot(), 'test/servers/requirements.txt'), 'utf8');
  return new RegExp(`^${name}==(\\S+)`, 'm').exec(requirements)?.[1] ?? '';
}
