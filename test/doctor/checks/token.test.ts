import t from 'tap';
import { judgeToken, type Lease, type TokenFacts, type TokenOrigin } from '../../../src/doctor/checks/token.ts';
import { said, states } from '../said.ts';

const DAY = 86_400;
const NOW = 1_800_000_000;
const periodic: Lease = {
  expires: true,
  ttl: DAY,
  renewable: true,
  period: DAY,
  explicitMaxTtl: 0,
  creationTime: NOW - DAY,
  uses: 0,
  policies: ['vaultferry'],
};
const valid = (changed: Partial<Lease> = {}, origin: TokenOrigin = 'token'): TokenFacts => ({
  kind: 'valid',
  origin,
  lease: { ...periodic, ...changed },
  now: NOW * 1000,
});

t.test('how long a token lasts', async (t) => {
  const fixed = { renewable: false, period: 0 };
  const cases: readonly (readonly [string, TokenFacts, string, RegExp])[] = [
    ['periodic', valid(), 'ok', /24 h left; VaultFerry renews it/],
    ['for ever', valid({ expires: false, ttl: 0 }), 'ok', /never expires/],
    ['renewable to an unknown end', valid({ period: 0 }), 'warning', /max TTL .* -> .*-period=24h/],
    ['near its end', valid({ ...fixed, ttl: 7 * DAY - 1 }), 'warning', /cannot be renewed, 6 d left -> /],
    ['far from its end', valid({ ...fixed, ttl: 7 * DAY }), 'ok', /7 d left/],
    ['renewable to a near end', valid({ explicitMaxTtl: 2 * DAY }), 'warning', /renewed for 24 h, then ends/],
    ['renewable to a far end', valid({ explicitMaxTtl: 30 * DAY }), 'ok', /renewed for 29 d/],
    ['of a login', valid({ ...fixed, ttl: 60 }, 'login'), 'ok', /60 s left, of a login/],
    ['of a file', valid({ ...fixed, ttl: 60 }, 'file'), 'ok', /whoever writes the file/],
    ['of a connection secret', valid({ ...fixed, ttl: 60 }, 'secret'), 'warning', /cannot be renewed/],
    ['with few uses', valid({ uses: 3 }), 'failure', /ends after 3 more uses/],
  ];
  for (const [what, facts, state, text] of cases) {
    const findings = judgeToken(facts);
    t.strictSame(states(findings), [`${state} token`], what);
    t.match(said(findings), text, what);
  }
});

t.test('a token that may do everything', async (t) => {
  const findings = judgeToken(valid({ policies: ['root'], expires: false }));
  t.strictSame(states(findings), ['ok token', 'warning least privilege']);
  t.match(said(findings), /vaultferry policy vault/);
});

t.test('no token that counts', async (t) => {
  const origins: readonly (readonly [TokenOrigin, RegExp])[] = [
    ['token', /vault\.auth\.token$/],
    ['file', /tokenFile/],
    ['secret', /connectionSecret/],
    ['login', /vault\.auth/],
  ];
  for (const [origin, mend] of origins) {
    const none = judgeToken({ kind: 'none', origin, reason: 'it cannot be read' });
    t.match(none, [{ state: 'failure', found: 'it cannot be read', mend }], origin);
    t.match(judgeToken({ kind: 'refused', origin }), [{ state: 'failure', found: /does not take/, mend }], origin);
  }
  t.match(judgeToken({ kind: 'unseen' }), [{ state: 'warning', mend: /lookup-self.*renew-self/ }]);
  t.match(judgeToken({ kind: 'unknown', reason: 'sealed' }), [{ state: 'not_checked', found: 'sealed' }]);
  t.strictSame(states(judgeToken({ kind: 'unconfigured' })), ['not_checked token']);
});
