import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { OpenBaoOptions } from '../servers/openbao.ts';
import type { OpenBaoApi } from '../servers/openbao-api.ts';
import type { Queues } from '../servers/roto.ts';
import type { Sections } from './ferries.ts';

/** A route as the configuration has it. */
export type RouteSection = Sections & { readonly mount: string; readonly namespace?: string };

export interface Setting {
  readonly over: Sections;
  readonly routes: readonly RouteSection[];
  readonly vaultPort: number;
  readonly queues: Queues;
  readonly socket: { readonly address: string };
}

/** The configuration of a world's processes as JSON, which is YAML, with `more` laid over it section by section. */
export const configOf =
  ({ over, routes, vaultPort, queues, socket }: Setting) =>
  (more: Sections): string => {
    const base: Sections = {
      vault: { address: `http://127.0.0.1:${vaultPort}`, auth: { method: 'token', token: '$' + '{VAULT_TOKEN}' } },
      ingress: { socket: socket.address },
      admin: { listen: 'http://127.0.0.1:0' },
      queue: { ...queues, visibilityTimeout: '10s' },
      sweep: { minGap: '0s' },
      routes,
    };
    return JSON.stringify(laid(laid(base, over), more), null, 1);
  };

const isSection = (value: unknown): value is Sections =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function laid(base: Sections, over: Sections): Sections {
  const merged = Object.entries(over).map(([key, value]) => {
    const below = base[key];
    return [key, isSection(below) && isSection(value) ? { ...below, ...value } : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

/** The whole of what the replicator may do in Vault, beside the default policy. */
export const policyFor = (routes: readonly RouteSection[]): string =>
  routes
    .flatMap(({ namespace = '', mount, kvVersion }) => {
      const path = namespace === '' ? mount : `${namespace}/${mount}`;
      if (kvVersion === 1) return [`path "${path}/*" { capabilities = ["read", "list"] }`];
      return [
        `path "${path}/data/*" { capabilities = ["read"] }`,
        `path "${path}/metadata/*" { capabilities = ["read", "list"] }`,
      ];
    })
    .join('\n');

/** The policy of VaultFerry's token. */
export const REPLICATOR = 'replicator';

/** Makes the mounts, v2 where their route does not say v1, and the replicator's token with an id that its configuration could name beforehand. */
export async function prepare(
  bao: OpenBaoApi,
  routes: readonly RouteSection[],
  token: string,
  policy: string,
): Promise<void> {
  const mounts = new Map(routes.map((route) => [JSON.stringify([route.namespace, route.mount]), route]));
  for (const { mount, namespace, kvVersion } of mounts.values()) {
    await bao.createKv(mount, kvVersion === 1 ? 1 : 2, namespace);
  }
  await bao.request('PUT', `sys/policies/acl/${REPLICATOR}`, { policy });
  await bao.makeToken(token, REPLICATOR);
}

export const auditSocket = (address: string): NonNullable<OpenBaoOptions['auditSocket']> =>
  address.startsWith('unix:')
    ? { type: 'unix', address: address.slice('unix:'.length) }
    : { type: 'tcp', address: address.slice('tcp://'.length) };

/** A loopback port that stays taken until it is released: whoever connects meanwhile is not given it for its own end. */
export async function holdPort(): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    release: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
