import t from 'tap';
import { type Answered, type Health, judgeServer, productOf } from '../../../src/doctor/checks/server.ts';
import { said, states } from '../said.ts';

const healthy: Answered = {
  initialized: true,
  sealed: false,
  standby: false,
  drSecondary: false,
  product: 'OpenBao',
  version: '2.7.2',
  receivedAt: 0,
};
const answered = (
  changed: Partial<Answered> = {},
  address: string | undefined = 'https://vault.example:8200',
): Health => ({
  kind: 'answered',
  address,
  ...healthy,
  ...changed,
});

t.test('a server that can be used', async (t) => {
  t.strictSame(states(judgeServer(answered())), ['ok server', 'ok TLS']);
  t.match(said(judgeServer(answered())), /OpenBao 2\.7\.2 at https:\/\/vault\.example:8200, unsealed, active/);
  t.match(said(judgeServer(answered({ standby: true }))), /standby/);
});

t.test('states in which it serves nobody', async (t) => {
  const cases: readonly (readonly [Partial<Answered>, RegExp])[] = [
    [{ initialized: false, sealed: true }, /not initialised -> run: bao operator init/],
    [{ sealed: true }, /sealed -> run: bao operator unseal/],
    [{ sealed: true, product: 'Vault Enterprise' }, /sealed -> run: vault operator unseal/],
    [{ drSecondary: true }, /disaster recovery -> name the primary/],
  ];
  for (const [changed, text] of cases) {
    const findings = judgeServer(answered(changed));
    t.equal(findings[0]?.state, 'failure');
    t.match(said(findings), text);
  }
});

t.test('the way there', async (t) => {
  const cases: readonly (readonly [string | undefined, string[]])[] = [
    ['https://vault.example', ['ok server', 'ok TLS']],
    ['http://127.0.0.1:8200', ['ok server', 'ok TLS']],
    ['http://[::1]:8200', ['ok server', 'ok TLS']],
    ['http://localhost:8200', ['ok server', 'ok TLS']],
    ['http://vault.example:8200', ['ok server', 'warning TLS']],
    ['http://10.0.0.1:8200', ['ok server', 'warning TLS']],
  ];
  for (const [address, expected] of cases)
    t.strictSame(states(judgeServer(answered({}, address))), expected, `${address}`);
  const unnamed: Health = { kind: 'answered', address: undefined, ...healthy };
  t.strictSame(states(judgeServer(unnamed)), ['ok server'], 'the address is not known');
  t.match(said(judgeServer(unnamed)), /connectionSecret/);
});

t.test('no answer', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['ECONNREFUSED', /see that Vault runs, and that https:\/\/v:1 can be reached/],
    ['', /see that Vault runs/],
    ['ENOTFOUND', /host in vault\.address/],
    ['EAI_AGAIN', /host in vault\.address/],
    ['EPROTO', /http:\/\/ in vault\.address/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /http:\/\/ in vault\.address/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /vault\.caFile/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /vault\.caFile/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /vault\.caFile/],
    ['UNABLE_TO_GET_ISSUER_CERT', /vault\.caFile/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /vault\.caFile/],
    ['CERT_HAS_EXPIRED', /renew/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /as its certificate does/],
  ];
  for (const [code, text] of cases) {
    const findings = judgeServer({ kind: 'unreachable', address: 'https://v:1', code, reason: 'it is down' });
    t.strictSame(states(findings), ['failure server'], code);
    t.match(said(findings), /no answer from https:\/\/v:1: it is down/);
    t.match(findings[0]?.mend, text, code);
  }
});

t.test('something that is no Vault', async (t) => {
  const foreign = { kind: 'foreign', address: 'http://v:1', status: 400 } as const;
  t.match(said(judgeServer({ ...foreign, wantsTls: true })), /answers 400, .* -> write https:\/\//);
  t.match(said(judgeServer({ ...foreign, wantsTls: false })), /-> see what listens there/);
  t.strictSame(states(judgeServer({ ...foreign, wantsTls: false })), ['failure server']);
});

t.test('none is configured', async (t) => {
  t.strictSame(states(judgeServer({ kind: 'unconfigured' })), ['not_checked server']);
});

t.test('which product it is', async (t) => {
  t.equal(productOf('2.7.2', undefined), 'OpenBao');
  t.equal(productOf('1.16.3', undefined), 'Vault');
  t.equal(productOf('1.21.0', false), 'Vault');
  t.equal(productOf('2.0.0', false), 'Vault');
  t.equal(productOf('2.0.0', true), 'Vault Enterprise');
  t.equal(productOf('1.15.2+ent', undefined), 'Vault Enterprise');
});
