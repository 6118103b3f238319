import type { Config } from '../config/config.ts';
import type { Sensitive } from '../sensitive.ts';
import type { VaultClient } from '../vault/client.ts';
import { type AuditFacts, SUDO } from './checks/audit.ts';
import type { Health } from './checks/server.ts';
import { lookAtDevices } from './look-at-vault.ts';

/** The audit devices as the operator may see them, beside our doors. */
export async function lookAtAudit(
  { ingress, vault: { auth } }: Pick<Config, 'ingress' | 'vault'>,
  health: Health,
  client: VaultClient | undefined,
  operator: Sensitive<string> | undefined,
): Promise<AuditFacts> {
  if (ingress === false) return { kind: 'pull' };
  if (client === undefined || health.kind !== 'answered') return { kind: 'unknown', reason: 'Vault does not answer' };
  if (operator === undefined) {
    const mend = "run it with an operator's token: VAULT_TOKEN=… vaultferry doctor";
    return { kind: 'unknown', reason: 'sys/audit needs sudo, and $VAULT_TOKEN is not set', mend };
  }
  const devices = await lookAtDevices(client, operator);
  if (!('status' in devices)) {
    const doors = { socket: ingress.socket, http: ingress.http?.listen };
    return { kind: 'devices', devices, doors, product: health.product };
  }
  const { status } = devices;
  if (status !== 403) return { kind: 'unknown', reason: `Vault answered ${status} for sys/audit` };
  const isOwn = auth !== undefined && 'token' in auth && auth.token?.reveal() === operator.reveal();
  return { kind: 'unknown', reason: 'the token in $VAULT_TOKEN may not read sys/audit', mend: isOwn ? OTHER : SUDO };
}

/** The least configuration names VaultFerry's token by the variable that operators use for their own. */
const OTHER =
  "let the configuration name VaultFerry's token by another variable, and set $VAULT_TOKEN to an operator's";
