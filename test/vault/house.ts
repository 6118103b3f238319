import { Sensitive } from '../../src/sensitive.ts';
import type { Login } from '../../src/vault/login.ts';

/** A log that keeps its lines. */
export function recorder() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: Record<string, unknown>): void => {
    lines.push(line);
  };
  return { lines, log: { debug: write, info: write, warn: write, error: write } };
}

/** A clock that stands until it is told to go on, and chance that is none. */
export function standingClock() {
  let time = 0;
  return {
    timing: { now: () => time, random: () => 0 },
    pass: (ms: number): void => {
      time += ms;
    },
  };
}

export const loginOf = (token: string, ttl: number | undefined, renewable = true): Login => ({
  token: new Sensitive(token),
  ttl,
  renewable,
});

/** The body of Vault's answer to a login. */
export const loginBody = (token: string, seconds: number, renewable = true): string =>
  JSON.stringify({ auth: { client_token: token, lease_duration: seconds, renewable, accessor: 'a' } });
