import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Sensitive } from '../sensitive.ts';
import { createSpaced, realTiming, type Timing } from './spaced.ts';
import type { TokenReader } from './token.ts';

/** How long a token lasts (seconds; undefined = for ever) and whether it can be extended. */
export interface Lease {
  readonly ttl: number | undefined;
  readonly renewable: boolean;
}

export interface Login extends Lease {
  readonly token: Sensitive<string>;
}

/** One login. Throws source_unavailable with a text that says what was refused, and what to do. */
export type LogIn = () => Promise<Login>;

/** Tokens that come of logins: they can be replaced when they cannot be renewed any more. */
export interface LoginReader extends TokenReader {
  /** What the login, or the last renewal, said of this token; undefined for another. */
  lease(token: Sensitive<string>): Lease | undefined;
  /** The token was extended. */
  renewed(token: Sensitive<string>, lease: Lease): void;
  /** Logs in anew, unless the token in use is already another. The old one stays in use if that fails. */
  replace(token: Sensitive<string>): Promise<void>;
}

interface Held extends Login {
  /** On the clock of `now`. */
  readonly since: number;
  readonly until: number;
}

/** A token that dies sooner was never right, in ms. */
const YOUNG = 10_000;

/** Logs in at the first request for a token, when the one in use has ended, and when Vault says that it is dead. */
export function createLoginReader(logIn: LogIn, log: Log, timing: Timing = realTiming): LoginReader {
  const { now } = timing;
  let held: Held | undefined;
  const hold = (login: Login, since: number): Held => {
    const { ttl } = login;
    held = { ...login, since, until: ttl === undefined ? Number.POSITIVE_INFINITY : now() + ttl * 1000 };
    return held;
  };
  const logins = createSpaced(async () => {
    const login = await logIn().catch((error: unknown) => {
      log.warn({ event: 'vault.login_failed', err: error });
      throw error;
    });
    log.info({ event: 'vault.logged_in', ttlSeconds: login.ttl, renewable: login.renewable });
    return hold(login, now());
  }, timing);
  const isHeld = (token: Sensitive<string>): boolean => held?.token.reveal() === token.reveal();
  return {
    current: async () => (held !== undefined && now() < held.until ? held : await logins.run()).token,
    refresh: async (used, standing) => {
      if (held !== undefined && !isHeld(used)) return true;
      if (standing === 'stands') return false;
      if (held !== undefined && diedYoung(held, now())) logins.fail(shortLived());
      held = undefined;
      await logins.run();
      return true;
    },
    lease: (token) => (isHeld(token) ? held : undefined),
    renewed: (token, lease) => {
      if (held !== undefined && isHeld(token)) hold({ ...lease, token }, held.since);
    },
    replace: async (token) => {
      if (isHeld(token)) await logins.run();
    },
  };
}

/** Sooner than half of its life, if that is short: at its end a clock may differ. */
const diedYoung = ({ since, ttl }: Held, now: number): boolean =>
  now - since < Math.min(YOUNG, ttl === undefined ? YOUNG : ttl * 500);

const shortLived = (): ReplicationError =>
  new ReplicationError(
    'source_unavailable',
    "Vault does not take the token that its own login gave a moment ago; see whether something revokes it, or whether the role's token is bound to another address",
  );
