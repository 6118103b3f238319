import t from 'tap';
import { judgeMounts, type MountFacts } from '../../../src/doctor/checks/mount.ts';
import { said, states } from '../said.ts';

const right: MountFacts = {
  ref: { namespace: '', mount: 'kv' },
  wanted: ['auto'],
  entry: { kind: 'shown', kv: 2 },
  rights: { value: 'granted', list: 'granted', metadata: 'granted' },
};
const judge = (changed: Partial<MountFacts> = {}) => judgeMounts([{ ...right, ...changed }]);
const rights = (changed: Partial<MountFacts['rights']>) => judge({ rights: { ...right.rights, ...changed } });

const ALL_OK = ['ok mount kv', 'ok values of kv', 'ok names of kv', 'ok versions of kv'];

t.test('a mount that can be read', async (t) => {
  t.strictSame(states(judge()), ALL_OK);
  t.strictSame(states(judge({ wanted: [2, 'auto'] })), ALL_OK);
  t.strictSame(states(rights({ atOnce: 'granted' })), [...ALL_OK, 'ok all of kv at once']);
});

t.test('a policy that lacks a line is told the line', async (t) => {
  const cases: readonly (readonly [Partial<MountFacts['rights']>, string, string])[] = [
    [{ value: 'denied' }, 'failure values of kv', 'path "kv/data/*" { capabilities = ["read"] }'],
    [{ list: 'denied' }, 'failure names of kv', 'path "kv/metadata/*" { capabilities = ["list"] }'],
    [{ metadata: 'denied' }, 'warning versions of kv', 'path "kv/metadata/*" { capabilities = ["read"] }'],
    [{ atOnce: 'denied' }, 'warning all of kv at once', 'vaultferry policy openbao'],
  ];
  for (const [changed, expected, line] of cases) {
    const wrong = rights(changed).filter(({ state }) => state !== 'ok');
    t.strictSame(states(wrong), [expected]);
    t.ok(said(wrong).includes(line), line);
  }
  const below = judge({ ref: { namespace: 'team-a', mount: 'kv' }, rights: { ...right.rights, value: 'denied' } });
  t.match(said(below), /path "team-a\/kv\/data\/\*"/, 'as seen from the root namespace');
});

t.test('rights that nothing shows', async (t) => {
  t.strictSame(states(rights({ list: 'no_mount' }))[2], 'not_checked names of kv');
  t.match(rights({ value: { unknown: 'Vault answered 500' } })[1], {
    state: 'not_checked',
    found: 'Vault answered 500',
  });
  t.match(rights({ value: undefined })[1], { state: 'not_checked', mend: 'vaultferry status' });
});

t.test('a mount that is not as its route says', async (t) => {
  const cases: readonly (readonly [Partial<MountFacts>, string[], RegExp])[] = [
    [
      { entry: { kind: 'shown', kv: 1 } },
      ['ok mount kv', 'not_checked values of kv'],
      /version 1(.|\n)*needs path "kv\/\*"/,
    ],
    [
      { entry: { kind: 'shown', kv: 1 }, wanted: [2] },
      ['failure mount kv', 'not_checked values of kv'],
      /its route says 2 -> .*kvVersion: 1/,
    ],
    [{ entry: { kind: 'not_kv', reason: 'it is of type "pki"' } }, ['failure mount kv'], /"pki" -> route a KV/],
    [
      { entry: { kind: 'hidden' } },
      ['failure mount kv', ...ALL_OK.slice(1)],
      /-> vault secrets enable -path=kv\/ .*; or path "kv\/data\/\*"/,
    ],
    [{ entry: { kind: 'unknown', reason: 'Vault answered 500' } }, ['not_checked mount kv', ...ALL_OK.slice(1)], /500/],
  ];
  for (const [changed, expected, text] of cases) {
    t.strictSame(states(judge(changed)), expected);
    t.match(said(judge(changed)), text);
  }
});

t.test('without a token nothing can be said', async (t) => {
  t.match(judgeMounts({ kind: 'blind', reason: 'no token' }), [{ state: 'not_checked', found: 'no token' }]);
});
