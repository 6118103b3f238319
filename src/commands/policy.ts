import type { Config } from '../config/config.ts';
import type { Role } from '../config/roles.ts';
import { iamPolicy } from '../doctor/iam-policy.ts';
import { type PolicyMount, type PolicyServer, vaultPolicy, vaultPolicyRules } from '../doctor/vault-policy.ts';
import type { MountRef } from '../replicate/ref.ts';
import { printable, printableJson } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface PolicyCommand {
  /** Whose policy: see {@link policyOf}. */
  readonly of: PolicyServer;
  /** The routed mounts, each once. */
  readonly mounts: readonly PolicyMount[];
  readonly json: boolean;
  readonly write: (text: string) => void;
}

/** Reads the operands of `vaultferry policy`, beside its roles. Throws a UsageError. */
export function policyOf(operands: readonly string[], roles: ReadonlySet<Role>): PolicyServer | 'iam' {
  const [of, ...others] = operands;
  if (others.length > 0 || (of !== 'vault' && of !== 'openbao' && of !== 'iam')) {
    throw new UsageError('policy takes vault, openbao or iam');
  }
  if (of !== 'iam' && roles.size === 1) throw new UsageError(`--role goes with policy iam, and not with policy ${of}`);
  return of;
}

/** `vaultferry policy vault | openbao`: prints the least policy for the routed mounts. Asks nothing of anybody. */
export function policyCommand({ of, mounts, json, write }: PolicyCommand): number {
  if (json) write(`${printableJson({ server: of, paths: vaultPolicyRules(mounts, of) })}\n`);
  else write(vaultPolicy(mounts, of));
  return 0;
}

/** The mounts with what their routes say of their version; two routes of one mount say the same. */
export const policyMounts = (
  mounts: readonly MountRef[],
  routes: readonly Pick<Config['routes'][number], 'namespace' | 'mount' | 'kvVersion'>[],
): PolicyMount[] =>
  mounts.map((ref) => {
    const route = routes.find(({ namespace, mount }) => namespace === ref.namespace && mount === ref.mount);
    return { ...ref, ...(route !== undefined && { kvVersion: route.kvVersion }) };
  });

export interface IamPolicyCommand {
  readonly config: Pick<Config, 'vault' | 'queue' | 'routes' | 'destinations'>;
  readonly roles: ReadonlySet<Role>;
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** A managed policy's limit in characters, white space left out (IAM quotas). */
const MOST_CHARACTERS = 6_144;

/** `vaultferry policy iam`: prints the least that the roles need of AWS; what it could not know is told on stderr. */
export function iamPolicyCommand({ config, roles, json, write, writeError }: IamPolicyCommand): number {
  const policy = iamPolicy(config, roles);
  const short = JSON.stringify(policy);
  write(`${json ? short : JSON.stringify(policy, null, 2)}\n`);
  const auto = config.routes.filter(({ kvVersion }) => kvVersion === 'auto');
  if (roles.has('worker')) for (const { name } of auto) writeError(`${printable(name)}: ${AUTO}\n`);
  if (short.length > MOST_CHARACTERS) writeError(`${TOO_LONG}\n`);
  return 0;
}

const AUTO =
  'its kvVersion is auto, and it is taken for 2; if the mount is KV version 1, set kvVersion: 1 and print again, since a worker then reads its copies to compare them';
const TOO_LONG =
  'the policy is longer than the 6,144 characters that IAM takes in a managed policy: put its statements into several';
