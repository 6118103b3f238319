import type { Config } from '../config/config.ts';
import { createRoutes } from '../replicate/routes.ts';
import type { Sensitive } from '../sensitive.ts';
import type { AccessOptions } from '../vault/access.ts';
import type { AuditFacts } from './checks/audit.ts';
import type { ClockFacts } from './checks/clock.ts';
import type { PermissionFacts, Place } from './checks/destinations.ts';
import type { MountsFacts } from './checks/mount.ts';
import type { NamesFacts } from './checks/names.ts';
import type { QueuesFacts, TriedCall } from './checks/queues.ts';
import type { Health } from './checks/server.ts';
import type { TokenFacts } from './checks/token.ts';

/** Everything that the checks want to know; each is asked for once, when it is first wanted. */
export interface Probes {
  health(): Promise<Health>;
  token(): Promise<TokenFacts>;
  mounts(): Promise<MountsFacts>;
  audit(): Promise<AuditFacts>;
  queues(): Promise<QueuesFacts>;
  queueCalls(): Promise<readonly TriedCall[]>;
  places(): Promise<readonly Place[]>;
  permissions(): Promise<readonly PermissionFacts[]>;
  clocks(): Promise<readonly ClockFacts[]>;
  names(): Promise<NamesFacts>;
  close(): void;
}

export interface Visit {
  readonly config: Config;
  /** How Vault is reached; undefined where none is configured. */
  readonly vault: AccessOptions | undefined;
  /** An operator's token, to see what VaultFerry's own may not. */
  readonly operator: Sensitive<string> | undefined;
  /** The environment names an endpoint for SQS. */
  readonly endpointChosen: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the configuration makes of a path, and of all. */
export const routesOf = ({ routes, destinations, vault }: Config) =>
  createRoutes(routes, destinations, vault.auth?.connectionSecret);
