import { formatHttpAddress, formatSocketAddress } from './address.ts';
import { spellAuth } from './auth.ts';
import type { Config, DestinationConfig } from './config.ts';
import { formatDuration, formatPercent, formatSize } from './units.ts';

const spellMode = (mode: number): string => mode.toString(8).padStart(4, '0');
const spellToken = (token: unknown) => (token === undefined ? {} : { token: '[redacted]' });

/**
 * The configuration in the spelling of the file, defaults and all, with `[redacted]` for each secret: a plain tree,
 * for YAML or JSON.
 */
export function effectiveConfig(config: Config): unknown {
  const { vault, ingress, admin, queue, worker, routes, destinations, sweep, log } = config;
  return {
    vault: {
      ...vault,
      timeout: formatDuration(vault.timeout),
      ...(vault.auth && { auth: spellAuth(vault.auth) }),
    },
    ingress: ingress === false ? false : spellIngress(ingress),
    admin: {
      listen: formatHttpAddress(admin.listen),
      ...spellToken(admin.token),
      ...(admin.tls && { tls: admin.tls }),
    },
    queue: { ...queue, visibilityTimeout: formatDuration(queue.visibilityTimeout) },
    worker,
    routes,
    destinations: Object.fromEntries(
      Object.entries(destinations).map(([name, destination]) => [name, spellDestination(destination)]),
    ),
    sweep: { ...sweep, every: formatDuration(sweep.every), minGap: formatDuration(sweep.minGap) },
    log,
  };
}

const spellDestination = ({ deletion, ...destination }: DestinationConfig): unknown => {
  const { grace, recoveryDays, maxShare, ...rest } = deletion;
  const spelled = {
    grace: formatDuration(grace),
    recoveryWindow: `${recoveryDays}d`,
    maxShare: formatPercent(maxShare),
  };
  return { ...destination, deletion: { ...rest, ...spelled } };
};

const spellIngress = ({ http, ...ingress }: Exclude<Config['ingress'], false>): unknown => ({
  ...ingress,
  socket: ingress.socket === false ? false : formatSocketAddress(ingress.socket),
  socketMode: spellMode(ingress.socketMode),
  maxLineBytes: formatSize(ingress.maxLineBytes),
  ...(http && {
    http: {
      ...http,
      listen: formatHttpAddress(http.listen),
      tokens: http.tokens.map(() => '[redacted]'),
      rateLimit: { ...http.rateLimit, window: formatDuration(http.rateLimit.window) },
    },
  }),
});
