import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { Sensitive } from '../sensitive.ts';
import { at, json } from './answer.ts';
import { reasonOf } from './ask.ts';
import type { Answer } from './transport.ts';

export interface RenewalPorts {
  /** The token to renew; the file's may be another at each call. */
  current(): Promise<Sensitive<string>>;
  /** Asks as that very token, without retrying as another. */
  ask(method: 'GET' | 'POST', path: string, token: Sensitive<string>): Promise<Answer>;
  readonly log: Log;
  /** Rejects when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** What is known of the token in use: how long it lasts (seconds; undefined = for ever) and whether it can be extended. */
interface Lease {
  readonly ttl: number | undefined;
  readonly renewable: boolean;
}

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
/** How soon another token in the file is noticed when no request asks for one. */
const POLL_MS = 5000;
const SOON_MS = 1000;

const unrefDelay = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { ref: false, signal });

/**
 * Keeps the token alive until `signal` aborts: looks it up, renews it at two thirds of its life less some jitter, and
 * after a failure tries again in 1 s, 2 s, 4 s, at most a minute. It never gives up, since the file may bring a token
 * that works. Resolves at the abort, never rejects.
 */
export async function keepRenewed(ports: RenewalPorts, signal: AbortSignal): Promise<void> {
  const { sleep = unrefDelay, now = () => performance.now() } = ports;
  const turn = createTurn(ports, now);
  let failures = 0;
  while (!signal.aborted) {
    const wait = await turn().then(
      (due) => {
        failures = 0;
        return Math.min(POLL_MS, Math.max(due - now(), 0));
      },
      (error: unknown) => {
        if (!signal.aborted) ports.log.warn({ event: 'vault.token_renewal_failed', reason: reasonOf(error) });
        failures += 1;
        return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
      },
    );
    // The abort ends the sleep, and with it the loop.
    await sleep(wait, signal).catch(() => undefined);
  }
}

/** One turn does what is due and tells when something will be, on the clock of `now`. */
function createTurn(ports: RenewalPorts, now: () => number): () => Promise<number> {
  const { random = Math.random } = ports;
  let known: Sensitive<string> | undefined;
  let due = 0;
  return async () => {
    const token = await ports.current();
    const same = known?.reveal() === token.reveal();
    if (same && now() < due) return due;
    const lease = same ? await renew(ports, token) : await lookUp(ports, token);
    known = token;
    due = now() + untilRenewal(lease, random);
    return due;
  };
}

/** Milliseconds; never, for a token that lasts or cannot be extended. */
function untilRenewal({ ttl, renewable }: Lease, random: () => number): number {
  if (ttl === undefined || !renewable) return Number.POSITIVE_INFINITY;
  return Math.max(SOON_MS, ttl * 1000 * (2 / 3) * (1 - 0.1 * random()));
}

async function lookUp(ports: RenewalPorts, token: Sensitive<string>): Promise<Lease> {
  const body = okBody(await ports.ask('GET', '/auth/token/lookup-self', token));
  const ttl = at(body, 'data', 'ttl');
  if (typeof ttl !== 'number') throw new Error('the answer to lookup-self has no ttl');
  if (at(body, 'data', 'expire_time') === null) return { ttl: undefined, renewable: false };
  const renewable = at(body, 'data', 'renewable') === true;
  if (!renewable) ports.log.warn({ event: 'vault.token_not_renewable', ttlSeconds: ttl });
  return { ttl, renewable };
}

async function renew(ports: RenewalPorts, token: Sensitive<string>): Promise<Lease> {
  const answer = await ports.ask('POST', '/auth/token/renew-self', token);
  if (answer.status === 400) {
    ports.log.warn({ event: 'vault.token_not_renewable' });
    return { ttl: undefined, renewable: false };
  }
  const body = okBody(answer);
  const ttl = at(body, 'auth', 'lease_duration');
  if (typeof ttl !== 'number') throw new Error('the answer to renew-self has no lease_duration');
  const lease = { ttl: ttl === 0 ? undefined : ttl, renewable: at(body, 'auth', 'renewable') === true };
  ports.log.info({ event: 'vault.token_renewed', ttlSeconds: ttl });
  return lease;
}

function okBody(answer: Answer): unknown {
  if (answer.status !== 200) throw new Error(`Vault answered ${answer.status}`);
  return json(answer);
}
