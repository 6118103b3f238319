import { type PolicyServer, vaultPolicy, vaultPolicyRules } from '../doctor/vault-policy.ts';
import type { MountRef } from '../replicate/ref.ts';
import { printableJson } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface PolicyCommand {
  /** Whose policy: see {@link policyOf}. */
  readonly of: PolicyServer;
  /** The routed mounts, each once. */
  readonly mounts: readonly MountRef[];
  readonly json: boolean;
  readonly write: (text: string) => void;
}

/** Reads the operands of `vaultferry policy`. Throws a UsageError. */
export function policyOf(operands: readonly string[]): PolicyServer {
  const [of, ...others] = operands;
  if (others.length === 0 && (of === 'vault' || of === 'openbao')) return of;
  throw new UsageError('policy takes vault or openbao');
}

/** `vaultferry policy vault | openbao`: prints the least policy for the routed mounts. Asks nothing of anybody. */
export function policyCommand({ of, mounts, json, write }: PolicyCommand): number {
  if (json) write(`${printableJson({ server: of, paths: vaultPolicyRules(mounts, of) })}\n`);
  else write(vaultPolicy(mounts, of));
  return 0;
}
