import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { createClient } from '../../src/vault/client.ts';
import { appRole, aws, kubernetes, type LoginMethod } from '../../src/vault/login-methods.ts';
import { createLogIn } from '../../src/vault/post-login.ts';
import { type Reply, startVaultHttp } from '../fakes/vault-http.ts';
import { loginBody } from './house.ts';

/** A stand-in Vault that answers the method's login so. */
async function world(t: Test, method: LoginMethod, reply: Reply, namespace = '') {
  const vault = await startVaultHttp();
  const client = createClient({ address: vault.address, timeout: 300 });
  t.teardown(async () => {
    client.close();
    await vault.close();
  });
  vault.on(`/auth/${method.mount}/login`, reply);
  return { vault, logIn: createLogIn(client, method, namespace) };
}

const granted = { body: loginBody('s.canary', 60, false) };
const secretId = new Sensitive('canary-secret-id');

t.test(
  'AppRole posts role-id and secret-id, of the configuration or of files that are read at each login',
  async (t) => {
    const first = await world(t, appRole({ mount: 'approle', roleId: 'r', secretId }), granted);
    const { token, ...lease } = await first.logIn();
    t.equal(token.reveal(), 's.canary');
    t.strictSame(lease, { ttl: 60, renewable: false });
    const [seen] = first.vault.requests;
    t.match(seen, { method: 'POST', path: '/auth/approle/login' });
    t.strictSame(JSON.parse(seen?.body ?? ''), { role_id: 'r', secret_id: 'canary-secret-id' });
    t.notOk(seen?.headers['x-vault-token']);
    t.notOk(seen?.headers['x-vault-namespace']);

    const dir = t.testdir({ role: 'role-1\n', secret: 'secret-1\n' });
    const [roleIdFile, secretIdFile] = [join(dir, 'role'), join(dir, 'secret')];
    const { vault, logIn } = await world(
      t,
      appRole({ mount: 'team/app', roleIdFile, secretIdFile }),
      granted,
      'team-a',
    );
    await logIn();
    await writeFile(roleIdFile, 'role-2');
    await writeFile(secretIdFile, 'secret-2');
    await logIn();
    t.strictSame(
      vault.requests.map(({ body }) => JSON.parse(body)),
      [1, 2].map((n) => ({ role_id: `role-${n}`, secret_id: `secret-${n}` })),
    );
    t.match(vault.requests[0]?.headers, { 'x-vault-namespace': 'team-a' });
  },
);

t.test('Kubernetes posts the role and the JWT that stands in the file now', async (t) => {
  const jwtFile = join(t.testdir({ token: 'jwt-1' }), 'token');
  const { vault, logIn } = await world(t, kubernetes({ mount: 'kubernetes', role: 'ferry', jwtFile }), granted);
  await logIn();
  await writeFile(jwtFile, 'jwt-2');
  await logIn();
  t.strictSame(
    vault.requests.map(({ body }) => JSON.parse(body)),
    [
      { role: 'ferry', jwt: 'jwt-1' },
      { role: 'ferry', jwt: 'jwt-2' },
    ],
  );
});

t.test('AWS posts a request that was signed anew', async (t) => {
  let signed = 0;
  const sign = async () => {
    signed += 1;
    return { url: 'https://sts/', body: 'Action=x', headers: { authorization: `signature ${signed}` } };
  };
  const { vault, logIn } = await world(t, aws({ mount: 'aws', role: 'ferry' }, sign), granted);
  await logIn();
  await logIn();
  const decoded = vault.requests.map(({ body }) => {
    const posted = JSON.parse(body);
    const text = (key: string): string => Buffer.from(posted[`iam_request_${key}`], 'base64').toString();
    t.match(posted, { role: 'ferry', iam_http_request_method: 'POST' });
    return [text('url'), text('body'), text('headers')];
  });
  t.strictSame(decoded, [
    ['https://sts/', 'Action=x', '{"authorization":"signature 1"}'],
    ['https://sts/', 'Action=x', '{"authorization":"signature 2"}'],
  ]);
});

t.test('a login that fails says where, what was shown, and what to do, and shows nothing of it', async (t) => {
  const dir = t.testdir({ secret: 'canary-secret-id', wrapped: 'hvs.canary-wrapped', jwt: 'canary.jwt', empty: '' });
  const file = (name: string): string => join(dir, name);
  const sign = async () => ({ url: 'https://sts/', body: 'b', headers: { authorization: 'canary' } });
  const inFile = (name: string) => appRole({ mount: 'approle', roleId: 'r', secretIdFile: file(name) });
  const refused: Reply = { status: 400, body: '{"errors":["invalid secret id canary-secret-id"]}' };
  const cases: [LoginMethod, Reply, RegExp][] = [
    [inFile('secret'), refused, /refused the login at auth\/approle\/login \(400\).*secret-id in .*\/secret .*used up/],
    [appRole({ mount: 'x', roleId: 'r', secretId }), refused, /auth\/x\/login.*secret-id of the configuration/],
    [inFile('wrapped'), refused, /wrapping token; unwrap it/],
    [inFile('absent'), granted, /no secret-id can be read from .*\/absent \(ENOENT\)/],
    [inFile('empty'), granted, /no secret-id can be read from .*\/empty \(NOT_ONE_WORD\)/],
    [
      appRole({ mount: 'approle', roleIdFile: file('no-role'), secretId }),
      granted,
      /no role-id can be read from .*no-role/,
    ],
    [kubernetes({ mount: 'k', role: 'ferry', jwtFile: file('jwt') }), { status: 403 }, /role "ferry".*JWT in .*\/jwt/],
    [kubernetes({ mount: 'k', role: 'ferry', jwtFile: file('none') }), granted, /no JWT can be read from .*\/none/],
    [aws({ mount: 'aws', role: 'ferry' }, sign), { status: 400 }, /role "ferry".*vault\.auth\.header/],
    [inFile('secret'), { status: 401 }, /\(401\)/],
    [inFile('secret'), { status: 404 }, /nothing at auth\/approle\/login; enable the auth method/],
    [inFile('secret'), { status: 503, body: 'canary' }, /answered 503 .*sealed/],
    [inFile('secret'), { act: 'reset' }, /no answer to the login.*ECONNRESET/],
    [inFile('secret'), { act: 'hang' }, /no answer within 300 ms/],
    [inFile('secret'), { body: 'canary' }, /without a token/],
    [inFile('secret'), { body: '{"auth":{"client_token":"","lease_duration":1}}' }, /without a token/],
    [inFile('secret'), { body: '{"auth":{"client_token":"s.canary"}}' }, /without a token/],
  ];
  for (const [method, reply, message] of cases) {
    const { logIn } = await world(t, method, reply);
    const error: unknown = await logIn().catch((thrown: unknown) => thrown);
    t.match(error, { code: 'source_unavailable', message }, String(message));
    t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /canary/);
  }
});

t.test('a namespace is named in the error, and an endless token has no end', async (t) => {
  const method = appRole({ mount: 'approle', roleId: 'r', secretId });
  const { logIn } = await world(t, method, { status: 400 }, 'team-a');
  await t.rejects(logIn(), { message: /auth\/approle\/login of the namespace team-a/ });
  const endless = await world(t, method, { body: loginBody('s.root', 0) });
  t.match(await endless.logIn(), { ttl: undefined, renewable: true });
});
