import { endpointChosen } from '../aws/clients.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { runChecks } from '../doctor/check.ts';
import { CHECKS } from '../doctor/checks.ts';
import { openProbes } from '../doctor/probes.ts';
import type { Log } from '../log.ts';
import { Sensitive } from '../sensitive.ts';
import { vaultOptions } from '../serve/vault-source.ts';
import { doctorJson, doctorText } from './doctor-print.ts';

export interface DoctorCommand {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  readonly json: boolean;
  /** Whether stdout is a terminal. */
  readonly terminal: boolean;
  readonly write: (text: string) => void;
}

/** What each check may take, in ms: a listing of some thousand names fits. */
const WITHIN = 20_000;

/** `vaultferry doctor`. Changes nothing anywhere. Returns the exit code: 0, or 3 when a check has failed. */
export async function doctorCommand({
  config,
  env,
  clock,
  log,
  json,
  terminal,
  write,
}: DoctorCommand): Promise<number> {
  const { VAULT_TOKEN: own = '' } = env;
  const probes = openProbes({
    config,
    vault: await vaultOptions(config, log),
    operator: own === '' ? undefined : new Sensitive(own),
    endpointChosen: endpointChosen(env),
    now: clock.now,
  });
  try {
    const findings = await runChecks(CHECKS, probes, { within: WITHIN, sleep: clock.sleep });
    write(json ? doctorJson(findings) : doctorText(findings, terminal && (env['NO_COLOR'] ?? '') === ''));
    return findings.some(({ state }) => state === 'failure') ? 3 : 0;
  } finally {
    probes.close();
  }
}
