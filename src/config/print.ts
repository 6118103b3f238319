import { formatHttpAddress, formatSocketAddress } from './address.ts';
import type { Config } from './config.ts';
import { formatDuration, formatSize } from './units.ts';

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
      ...(vault.auth && { auth: { ...vault.auth, ...spellToken(vault.auth.token) } }),
    },
    ingress: ingress === false ? false : spellIngress(ingress),
    admin: { listen: formatHttpAddress(admin.listen), ...spellToken(admin.token) },
    queue: { ...queue, visibilityTimeout: formatDuration(queue.visibilityTimeout) },
    worker,
    routes,
    destinations,
    sweep: { ...sweep, every: formatDuration(sweep.every), minGap: formatDuration(sweep.minGap) },
    log,
  };
}

const spellIngress = ({ http, ...ingress }: Exclude<Config['ingress'], false>): unknown => ({
  ...ingress,
  socket: ingress.socket === false ? false : formatSocketAddress(ingress.socket),
  socketMode: spellMode(ingress.socketMode),
  maxLineBytes: formatSize(ingress.maxLineBytes),
  ...(http && {
    http: {
      listen: formatHttpAddress(http.listen),
      tokens: http.tokens.map(() => '[redacted]'),
      rateLimit: { ...http.rateLimit, window: formatDuration(http.rateLimit.window) },
    },
  }),
});
