import type { Config } from './config.ts';
import { type Finding, type Problem, toProblems } from './errors.ts';

export type Role = 'ingress' | 'worker';

/** What the roles that this process runs need of the configuration and do not have; empty when nothing is amiss. */
export function checkRoles(config: Config, roles: ReadonlySet<Role>): Problem[] {
  return toProblems(lackingForRoles(config, roles));
}

export const lackingForRoles = (config: Config, roles: ReadonlySet<Role>): Finding[] => [
  ...missingVault(config, roles),
  ...missingIngress(config, roles),
];

const askingRoute = ({ routes }: Config): number => routes.findIndex(({ kvVersion }) => kvVersion === 'auto');

/** An ingress alone asks Vault for nothing but the KV versions that no route tells. */
export const asksVault = (config: Config, roles: ReadonlySet<Role>): boolean =>
  roles.has('worker') || askingRoute(config) >= 0;

function missingVault(config: Config, roles: ReadonlySet<Role>) {
  if (!asksVault(config, roles)) return [];
  const { vault } = config;
  const asking = askingRoute(config);
  const why = roles.has('worker') ? 'the worker role reads secrets' : `routes[${asking}].kvVersion auto asks Vault`;
  // The secret that holds the token may hold the address too.
  const given = { auth: vault.auth, address: vault.address ?? vault.auth?.connectionSecret };
  const keys = (['address', 'auth'] as const).filter((key) => given[key] === undefined);
  return keys.map((key) => ({ path: ['vault', key], text: `is missing; ${why}` }));
}

function missingIngress({ ingress }: Config, roles: ReadonlySet<Role>) {
  const idle = ingress === false && roles.has('ingress') && !roles.has('worker');
  return idle ? [{ path: ['ingress'], text: 'is false, so the ingress role alone would do nothing' }] : [];
}
