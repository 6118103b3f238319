import { endpointChosen } from '../aws/clients.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { lackingForRoles, type Role } from '../config/roles.ts';
import { createLog, type Log } from '../log.ts';
import { serve } from '../serve/serve.ts';

export interface ServeCommand {
  readonly config: Config;
  readonly roles: ReadonlySet<Role>;
  readonly env: NodeJS.ProcessEnv;
  /** Reads the configuration again. Throws a ConfigError. */
  readonly load: () => Promise<Config>;
}

/** `vaultferry serve`: runs until SIGTERM or SIGINT; a second signal ends it at once. Returns the exit code. */
export async function serveCommand({ config, roles, env, load }: ServeCommand): Promise<number> {
  const lacking = lackingForRoles(config, roles);
  if (lacking.length > 0) throw new ConfigError(lacking);
  const log = createLog(config.log.level, process.stderr.isTTY === true);
  reportWarnings(log);
  endOnCrash(log);
  const onHangup = (listener: () => void) => process.on('SIGHUP', listener);
  const signal = stopSignal();
  const code = await serve({ config, roles, log, endpointChosen: endpointChosen(env), signal, load, onHangup });
  // Whatever is still under way when the time to stop is over must not keep the process.
  process.exit(code);
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort());
  return stopping.signal;
}

/** Node prints its warnings as text; among JSON lines they are one more event. */
function reportWarnings(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn({ event: 'process.warning', name, text: message }));
}

/** Node would print the error's own text, which may quote what it was about. */
function endOnCrash(log: Log): void {
  process.on('uncaughtException', (error) => {
    log.error({ event: 'crashed', err: error });
    process.exit(1);
  });
}
