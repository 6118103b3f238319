import t from 'tap';
import { resolveConfig } from '../../src/config/config.ts';
import { effectiveConfig } from '../../src/config/print.ts';
import { checkRoles } from '../../src/config/roles.ts';
import { createValidator } from '../../src/config/validate.ts';
import { parse, problemsOf, withSections, wrongKeys } from './examples.ts';

const withAuth = (auth: object): string => withSections({ vault: { address: 'http://a', auth } });
const authOf = (auth: object, env: NodeJS.ProcessEnv = {}) => parse(withAuth(auth), env).vault.auth;

t.test('each method has what it needs, and its defaults', (t) => {
  const cases: [object, object][] = [
    [
      { method: 'approle', roleId: 'r', secretIdFile: '/s' },
      { method: 'approle', mount: 'approle', roleId: 'r', secretIdFile: '/s' },
    ],
    [
      { method: 'approle', roleIdFile: '/r', secretIdFile: '/s', mount: '/team/app/', namespace: 'a/' },
      { method: 'approle', mount: 'team/app', roleIdFile: '/r', secretIdFile: '/s', namespace: 'a' },
    ],
    [
      { method: 'aws', role: 'r' },
      { method: 'aws', mount: 'aws', role: 'r' },
    ],
    [
      { method: 'aws', role: 'r', region: 'eu-west-1', header: 'h', mount: 'aws2' },
      { method: 'aws', mount: 'aws2', role: 'r', region: 'eu-west-1', header: 'h' },
    ],
    [
      { method: 'kubernetes', role: 'r' },
      {
        method: 'kubernetes',
        mount: 'kubernetes',
        role: 'r',
        jwtFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
      },
    ],
    [
      { method: 'kubernetes', role: 'r', jwtFile: '/j' },
      { method: 'kubernetes', mount: 'kubernetes', role: 'r', jwtFile: '/j' },
    ],
    [
      { method: 'token', connectionSecret: 'ferry/vault' },
      { method: 'token', connectionSecret: 'ferry/vault' },
    ],
  ];
  for (const [given, expected] of cases) t.strictSame(authOf(given), expected);
  t.end();
});

t.test('a secret-id comes from a variable and is printed nowhere', (t) => {
  const given = { method: 'approle', roleId: 'r', secretId: `\${SECRET_ID}` };
  const env = { SECRET_ID: 'canary # "x"' };
  const auth = authOf(given, env);
  t.equal(auth?.method === 'approle' && auth.secretId?.reveal(), env.SECRET_ID);
  const printed = effectiveConfig(parse(withAuth(given), env));
  t.match(printed, { vault: { auth: { method: 'approle', roleId: 'r', secretId: '[redacted]' } } });
  t.notMatch(JSON.stringify([printed, auth]), 'canary');
  t.same(effectiveConfig(parse(withAuth((printed as { vault: { auth: object } }).vault.auth))), printed);
  t.match(effectiveConfig(parse(withAuth({ method: 'token', token: 'canary' }))), {
    vault: { auth: { token: '[redacted]' } },
  });
  t.end();
});

t.test('what a method lacks, and what is for another, is named', (t) => {
  const secretId = 'canary';
  const cases: [object, string[]][] = [
    [{ method: 'token' }, ['vault.auth']],
    [{ method: 'token', token: 'a', connectionSecret: 'b' }, ['vault.auth']],
    [{ method: 'token', token: 'a', tokenFile: 'b', connectionSecret: 'c' }, ['vault.auth']],
    [{ method: 'token', token: 'a', mount: 'x', role: 'y' }, ['vault.auth.mount', 'vault.auth.role']],
    [{ method: 'approle' }, ['vault.auth', 'vault.auth']],
    [{ method: 'approle', roleId: 'r' }, ['vault.auth']],
    [{ method: 'approle', roleId: 'r', roleIdFile: 'r', secretId }, ['vault.auth']],
    [{ method: 'approle', roleId: 'r', secretId, secretIdFile: 's' }, ['vault.auth']],
    [{ method: 'approle', roleId: 'r', secretId, token: 'canary' }, ['vault.auth.token']],
    [{ method: 'approle', roleId: '', secretId: 7 }, ['vault.auth.roleId', 'vault.auth.secretId']],
    [{ method: 'aws' }, ['vault.auth.role']],
    [{ method: 'aws', role: 'r', jwtFile: 'j' }, ['vault.auth.jwtFile']],
    [{ method: 'aws', role: 'r', region: 'Europe' }, ['vault.auth.region']],
    [{ method: 'kubernetes' }, ['vault.auth.role']],
    [{ method: 'kubernetes', role: 'r', header: 'h', mount: '//' }, ['vault.auth.mount']],
    [{ method: 'ldap' }, ['vault.auth.method']],
    [{ method: 'aws', role: 'r', namespace: 'a//b' }, ['vault.auth.namespace']],
  ];
  for (const [auth, keys] of cases) {
    t.same(wrongKeys({ vault: { address: 'http://a', auth } }), keys, JSON.stringify(auth));
    t.notMatch(JSON.stringify(problemsOf(withAuth(auth))), 'canary');
  }
  t.same(problemsOf(withAuth({ method: 'approle', jwtFile: 'j', secretId })), [
    { key: 'vault.auth', text: 'method approle needs exactly one of roleId, roleIdFile' },
    { key: 'vault.auth.jwtFile', text: 'is not for method approle; it belongs to kubernetes' },
  ]);
  t.same(problemsOf(withAuth({ method: 'aws' })), [
    { key: 'vault.auth.role', text: 'is missing; method aws needs it' },
  ]);
  t.match(problemsOf(withAuth({ method: 'token', token: 'x', mount: 'm' })), [
    { text: 'is not for method token; it belongs to approle, aws, kubernetes' },
  ]);
  t.end();
});

t.test('a connection secret stands in for the address', (t) => {
  const lacking = (vault: object) =>
    checkRoles(parse(withSections({ vault })), new Set(['worker'])).map(({ key }) => key);
  t.same(lacking({ auth: { method: 'token', connectionSecret: 's' } }), []);
  t.same(lacking({ auth: { method: 'token', token: 's' } }), ['vault.address']);
  t.same(lacking({ auth: { method: 'aws', role: 's' } }), ['vault.address']);
  t.end();
});

t.test('a route that surely leads to the connection secret is refused, one that may is not', (t) => {
  const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:ferry/vault-AbCdEf';
  const keys = (route: object, connectionSecret: string, region?: string): string[] =>
    wrongKeys({
      vault: { auth: { method: 'token', connectionSecret } },
      routes: [{ mount: 'kv' }, { mount: 'kv', name: 'two', as: '{path}', ...route }],
      destinations: { default: region === undefined ? {} : { region } },
    });
  t.same(keys({ include: ['a', 'ferry/vault'] }, 'ferry/vault'), ['routes[1].include[1]']);
  t.same(keys({ include: ['ferry/vault'] }, arn), ['routes[1].include[0]']);
  t.same(keys({ include: ['vault'], as: 'ferry/{path}' }, arn, 'eu-west-1'), ['routes[1].include[0]']);
  t.same(keys({ include: ['ferry/vault'] }, arn, 'us-east-1'), []);
  t.same(keys({ include: ['ferry/*'] }, 'ferry/vault'), []);
  t.same(keys({ include: ['ferry/vault'], exclude: ['ferry/**'] }, 'ferry/vault'), []);
  t.same(keys({ include: ['ferry/vault'] }, 'ferry/other'), []);
  t.same(keys({ include: ['ferry/vault'], to: ['nowhere'] }, 'ferry/vault'), [
    'routes[1].include[0]',
    'routes[1].to[0]',
  ]);
  t.end();
});

t.test('a file that was never checked is refused rather than misread', (t) => {
  const { file } = createValidator()(JSON.parse(withAuth({ method: 'aws' })));
  t.throws(() => file && resolveConfig(file), TypeError);
  t.end();
});
