import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';
import { policyLine } from '../vault-policy.ts';
import { UNCONFIGURED } from './server.ts';
import { span } from './span.ts';

/** How VaultFerry comes by its token: the configuration's own, a file's, a connection secret's, or that of a login. */
export type TokenOrigin = 'token' | 'file' | 'secret' | 'login';

/** What lookup-self says of the token. Seconds; 0 stands for none. */
export interface Lease {
  readonly expires: boolean;
  readonly ttl: number;
  readonly renewable: boolean;
  readonly period: number;
  readonly explicitMaxTtl: number;
  readonly creationTime: number;
  readonly uses: number;
  readonly policies: readonly string[];
}

export type TokenFacts =
  | { readonly kind: 'unconfigured' }
  /** There is none to ask with: an unreadable file, a login that fails. */
  | { readonly kind: 'none'; readonly origin: TokenOrigin; readonly reason: string }
  /** No answer that counts. */
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'refused'; readonly origin: TokenOrigin }
  /** Vault takes it, and its policy lacks lookup-self. */
  | { readonly kind: 'unseen' }
  /** `now` in ms since the epoch. */
  | { readonly kind: 'valid'; readonly origin: TokenOrigin; readonly lease: Lease; readonly now: number };

/** What is left of a token that ends for good is little below this, in seconds. */
const NEAR = 7 * 86_400;

const PERIODIC = 'vault token create -orphan -policy=vaultferry -period=24h';
const LOGIN = 'let VaultFerry log in by itself (vault.auth.method)';

/** Does Vault take the token, and for how long? */
export function judgeToken(facts: TokenFacts): Finding[] {
  switch (facts.kind) {
    case 'unconfigured':
      return [notChecked('token', UNCONFIGURED)];
    case 'unknown':
      return [notChecked('token', facts.reason)];
    case 'none':
      return [failure('token', facts.reason, NONE[facts.origin])];
    case 'refused':
      return [failure('token', 'Vault does not take the token', REFUSED[facts.origin])];
    case 'unseen':
      return [warning('token', 'valid; its policy does not let it see how long it lasts, nor be renewed', OWN)];
    case 'valid':
      return [lasting(facts.origin, facts.lease, facts.now), ...tooMighty(facts.lease)];
  }
}

const SECRET_MEND = 'mend the secret that vault.auth.connectionSecret names, or the right to read it';
const LOGIN_MEND = "mend the login's role and credentials in vault.auth";

const NONE: Readonly<Record<TokenOrigin, string>> = {
  token: 'set vault.auth.token',
  file: 'write one token into the file that vault.auth.tokenFile names, readable to VaultFerry',
  secret: SECRET_MEND,
  login: LOGIN_MEND,
};

const REFUSED: Readonly<Record<TokenOrigin, string>> = {
  token: 'put a valid one in the place of vault.auth.token',
  file: 'write a valid one into the file that vault.auth.tokenFile names',
  secret: SECRET_MEND,
  login: LOGIN_MEND,
};

const OWN = `add to the policy: ${policyLine('auth/token/lookup-self', 'read')} ${policyLine('auth/token/renew-self', 'update')}`;

function lasting(origin: TokenOrigin, lease: Lease, now: number): Finding {
  const { expires, ttl, renewable, period, explicitMaxTtl, creationTime, uses } = lease;
  const left = `${span(ttl)} left`;
  if (uses > 0) {
    return failure('token', `ends after ${uses} more uses`, 'give VaultFerry a token without a limit of uses');
  }
  if (!expires) return ok('token', 'valid, never expires');
  if (origin === 'login') return ok('token', `valid, ${left}, of a login that VaultFerry repeats by itself`);
  if (origin === 'file') return ok('token', `valid, ${left}; whoever writes the file brings the next one`);
  if (!renewable) return fixed(ttl, `valid, cannot be renewed, ${left}`);
  if (explicitMaxTtl > 0) {
    const end = creationTime + explicitMaxTtl - now / 1000;
    return fixed(end, `valid, can be renewed for ${span(end)}, then ends for good`);
  }
  if (period > 0) return ok('token', `valid, periodic, ${left}; VaultFerry renews it`);
  return warning(
    'token',
    `valid, ${left}; renewable but not periodic, so Vault ends it at its max TTL (32 days, unless tuned)`,
    `${PERIODIC}; or ${LOGIN}`,
  );
}

const fixed = (left: number, found: string): Finding =>
  left < NEAR ? warning('token', found, `${PERIODIC}; or ${LOGIN}`) : ok('token', found);

const tooMighty = ({ policies }: Lease): Finding[] =>
  policies.includes('root')
    ? [
        warning(
          'least privilege',
          'the token has the root policy, and VaultFerry needs to read alone',
          'vaultferry policy vault | vault policy write vaultferry -, then a token of that policy',
        ),
      ]
    : [];
