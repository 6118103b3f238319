import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { callerIdentity } from '../../src/aws/caller-identity.ts';
import { createClient } from '../../src/vault/client.ts';
import { aws } from '../../src/vault/login-methods.ts';
import { createLogIn } from '../../src/vault/post-login.ts';
import { startVaultHttp } from '../fakes/vault-http.ts';
import { loginBody } from '../vault/house.ts';
import { type Arrived, isSignedBy } from './signature.ts';

const SECRET_KEY = 'canary-secret-key/+';

/** This test's environment for AWS: these variables and no file of the account that runs it. */
function withEnvironment(t: Test, variables: Readonly<Record<string, string>>): void {
  const home = t.testdir({});
  mkdirSync(join(home, '.aws'));
  const clean = { AWS_CONFIG_FILE: `${home}/none`, AWS_SHARED_CREDENTIALS_FILE: `${home}/none`, HOME: home };
  const all: Record<string, string> = { ...clean, AWS_EC2_METADATA_DISABLED: 'true', ...variables };
  const names = [...Object.keys(all), 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'];
  const saved = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) delete process.env[name];
  Object.assign(process.env, all);
  t.teardown(() => {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

/** Logs in to a stand-in Vault, and gives the request to STS that it was handed, decoded. */
async function arrived(t: Test, options: Parameters<typeof callerIdentity>[0]) {
  const vault = await startVaultHttp();
  const client = createClient({ address: vault.address, timeout: 5000 });
  t.teardown(async () => {
    client.close();
    await vault.close();
  });
  vault.on('/auth/aws/login', { body: loginBody('s.1', 60) });
  await createLogIn(client, aws({ mount: 'aws', role: 'ferry' }, callerIdentity(options)), '')();
  const posted: Record<string, string> = JSON.parse(vault.requests[0]?.body ?? '');
  const decoded = (key: string): string => Buffer.from(posted[`iam_request_${key}`] ?? '', 'base64').toString();
  t.equal(posted['role'], 'ferry');
  t.notMatch(vault.requests[0]?.body, 'canary');
  const url = decoded('url');
  const request: Arrived = {
    method: posted['iam_http_request_method'] ?? '',
    path: new URL(url).pathname,
    headers: JSON.parse(decoded('headers')),
    body: decoded('body'),
  };
  return { url, request };
}

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET_KEY };

t.test(
  'the request that Vault is handed is signed by the credentials of the environment, as STS would check it',
  async (t) => {
    withEnvironment(t, { ...KEYS, AWS_SESSION_TOKEN: 'session' });
    const { url, request } = await arrived(t, { header: 'vault.example' });
    t.equal(url, 'https://sts.amazonaws.com/');
    t.match(request, { method: 'POST', body: 'Action=GetCallerIdentity&Version=2011-06-15' });
    t.match(request.headers, {
      host: 'sts.amazonaws.com',
      'x-amz-security-token': 'session',
      'x-vault-aws-iam-server-id': 'vault.example',
      authorization: /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/sts\/aws4_request, /,
    });
    t.ok(isSignedBy(SECRET_KEY, request));
    for (const name of ['content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-vault-aws-iam-server-id']) {
      const headers = { ...request.headers, [name]: `${request.headers[name]}x` };
      t.notOk(isSignedBy(SECRET_KEY, { ...request, headers }), `a changed ${name} is refused`);
    }
    t.notOk(isSignedBy(SECRET_KEY, { ...request, body: `${request.body}&x` }));
    t.notOk(isSignedBy(SECRET_KEY, { ...request, method: 'GET' }));
    t.notOk(isSignedBy(SECRET_KEY, { ...request, path: '/x' }));
    t.notOk(isSignedBy('another key', request));
  },
);

t.test('a region has its own endpoint and signs for it', async (t) => {
  withEnvironment(t, KEYS);
  const { url, request } = await arrived(t, { region: 'eu-west-1' });
  t.equal(url, 'https://sts.eu-west-1.amazonaws.com/');
  t.match(request.headers['authorization'], /\/eu-west-1\/sts\/aws4_request/);
  t.notOk('x-vault-aws-iam-server-id' in request.headers);
  t.ok(isSignedBy(SECRET_KEY, request));
  t.equal((await arrived(t, { region: 'cn-north-1' })).url, 'https://sts.cn-north-1.amazonaws.com.cn/');
});

t.test('without credentials it says that there are none', async (t) => {
  withEnvironment(t, {});
  await t.rejects(callerIdentity({})(), {
    code: 'source_unavailable',
    message: /no AWS credentials to log in to Vault with \(CredentialsProviderError\)/,
  });
});
