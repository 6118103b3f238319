import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** Of each reason one line in this time, in ms: whoever is turned away may come back at once, and often. */
const LOGGED_EVERY = 1_000;

export type RefusalReason = keyof typeof TEXTS;

const TEXTS = {
  address: 'not in ingress.allow',
  connections:
    'ingress.maxConnections are open, all of them of Vault: this one, silent the longest, gave way to a new one',
  http_address: 'not in ingress.http.allow',
  http_connections: 'ingress.maxConnections are open, all of them with a valid token: this one was ended',
  tls: 'the TLS handshake failed',
} as const;

export interface RefusalOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
  readonly onRefused: (reason: RefusalReason) => void;
}

/** Tells of a connection that was turned away, with fields for the log. */
export type Refuse = (reason: RefusalReason, fields: Readonly<Record<string, unknown>>) => void;

/** Each refusal is counted, the log has the first and then how many more there were. */
export function createRefusals({ clock, log, onRefused }: RefusalOptions): Refuse {
  const last = new Map<RefusalReason, { at: number; more: number }>();
  return (reason, fields) => {
    onRefused(reason);
    const before = last.get(reason);
    const now = clock.monotonic();
    if (before !== undefined && now - before.at < LOGGED_EVERY) before.more += 1;
    else {
      const more = before?.more ?? 0;
      last.set(reason, { at: now, more: 0 });
      log.warn({ event: 'audit.refused', reason, ...fields, text: TEXTS[reason], ...(more > 0 && { more }) });
    }
  };
}
