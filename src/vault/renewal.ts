import { setTimeout as delay } from 'node:timers/promises';
import { backoff } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Sensitive } from '../sensitive.ts';
import { at, json } from './answer.ts';
import { reasonOf } from './ask.ts';
import type { Lease, LoginReader } from './login.ts';
import type { Answer } from './transport.ts';

export interface RenewalPorts {
  /** The token to renew; the file's may be another at each call. */
  current(): Promise<Sensitive<string>>;
  /** Asks as that very token, without retrying as another. */
  ask(method: 'GET' | 'POST', path: string, token: Sensitive<string>): Promise<Answer>;
  /** Where the tokens come of logins: a token that cannot be renewed any more is replaced in time. */
  readonly logins?: Pick<LoginReader, 'lease' | 'renewed' | 'replace'> | undefined;
  readonly log: Log;
  /** Rejects when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** How soon another token in the file is noticed when no request asks for one. */
const POLL_MS = 5000;
const SOON_MS = 1000;

const unrefDelay = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { ref: false, signal });

/**
 * Keeps a token at hand until `signal` aborts: learns how long it lasts, renews it at two thirds of its life less some
 * jitter, replaces it by a login where renewing has come to its end, and after a failure tries again as backoff.ts says.
 * It never gives up, since a file may bring a token that works. Resolves at the abort, never rejects.
 */
export async function keepRenewed(ports: RenewalPorts, signal: AbortSignal): Promise<void> {
  const { sleep = unrefDelay, now = () => performance.now(), random = Math.random } = ports;
  const turn = createTurn(ports, now, random);
  let failures = 0;
  while (!signal.aborted) {
    const wait = await turn().then(
      (due) => {
        failures = 0;
        return Math.min(POLL_MS, Math.max(due - now(), 0));
      },
      (error: unknown) => {
        if (!signal.aborted && !(error instanceof ReplicationError)) tell(ports.log, error);
        failures += 1;
        return backoff(failures, random()) * 1000;
      },
    );
    // The abort ends the sleep, and with it the loop.
    await sleep(wait, signal).catch(() => undefined);
  }
}

/** Our own errors are left out: whoever threw one, a login or a file's reader, has told it. */
const tell = (log: Log, error: unknown): void =>
  log.warn({ event: 'vault.token_renewal_failed', reason: reasonOf(error) });

/** What one token was seen to be. */
interface Watched {
  readonly token: Sensitive<string>;
  /** Seconds that it had when it was first seen; 0 for one that lasts. */
  readonly life: number;
  /** Another is to be had by a login, and no renewal brings this one any further. */
  readonly ending: boolean;
  /** On the clock of `now`. */
  readonly due: number;
}

/** One turn does what is due and tells when something will be, on the clock of `now`. */
function createTurn(ports: RenewalPorts, now: () => number, random: () => number): () => Promise<number> {
  const { logins } = ports;
  let watched: Watched | undefined;
  const watch = (token: Sensitive<string>, lease: Lease, life: number): number => {
    const ending = logins !== undefined && isEnding(lease, life);
    watched = { token, life, ending, due: now() + untilDue(lease, ending, random) };
    return watched.due;
  };
  return async () => {
    const token = await ports.current();
    const known = watched?.token.reveal() === token.reveal() ? watched : undefined;
    if (known === undefined) {
      const lease = logins?.lease(token) ?? (await lookUp(ports, token));
      return watch(token, lease, lease.ttl ?? 0);
    }
    if (now() < known.due) return known.due;
    const lease = known.ending ? undefined : await renew(ports, token);
    if (lease !== undefined) {
      logins?.renewed(token, lease);
      return watch(token, lease, known.life);
    }
    if (logins === undefined) return watch(token, { ttl: undefined, renewable: false }, known.life);
    await logins.replace(token);
    return now();
  };
}

/** Vault cuts a renewal short where the token's maximum life ends. */
const isEnding = ({ ttl, renewable }: Lease, life: number): boolean =>
  ttl !== undefined && (!renewable || ttl < life / 2);

/** Milliseconds; never, for a token that lasts, or that can be neither extended nor replaced. */
function untilDue({ ttl, renewable }: Lease, ending: boolean, random: () => number): number {
  if (ttl === undefined || !(renewable || ending)) return Number.POSITIVE_INFINITY;
  return Math.max(ending ? 0 : SOON_MS, ttl * 1000 * (2 / 3) * (1 - 0.1 * random()));
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

/** Undefined when Vault does not extend it any more; a 403 says so only of a token that a login can replace. */
async function renew(ports: RenewalPorts, token: Sensitive<string>): Promise<Lease | undefined> {
  const answer = await ports.ask('POST', '/auth/token/renew-self', token);
  if (ports.logins !== undefined && (answer.status === 400 || answer.status === 403)) return undefined;
  if (answer.status === 400) {
    ports.log.warn({ event: 'vault.token_not_renewable' });
    return undefined;
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
