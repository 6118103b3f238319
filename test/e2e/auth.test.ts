import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import t, { type Test } from 'tap';
import type { LogFields } from '../../src/log.ts';
import { appRole, kubernetes, type LoginMethod } from '../../src/vault/login-methods.ts';
import { createVaultSource } from '../../src/vault/source.ts';
import { type OpenBao, startOpenBao } from '../servers/openbao.ts';
import { accepted } from '../servers/openbao-api.ts';
import { until } from '../servers/until.ts';
import { policyFor, REPLICATOR } from './setting.ts';
import { createIssuer, type ServiceAccount, serviceAccountClaims, startTokenReview } from './token-review.ts';
import { isReady, startWorld } from './world.ts';

const ref = { namespace: '', mount: 'kv', path: 'app' };

/** Asks OpenBao as root, and throws when it refuses. */
async function ask<T = unknown>(bao: OpenBao, method: string, path: string, body?: unknown): Promise<T> {
  const answer = accepted(await bao.request(method, path, body), method, path);
  return (answer.body as { data: T } | undefined)?.data as T;
}

async function openBao(t: Test): Promise<OpenBao> {
  const bao = await startOpenBao();
  t.teardown(() => bao.stop());
  await bao.createKv('kv', 2);
  await bao.put('kv', 'app', { a: 1 });
  await ask(bao, 'PUT', `sys/policies/acl/${REPLICATOR}`, { policy: policyFor([ref]) });
  return bao;
}

/** An AppRole of this name; gives its role-id and a way to make secret-ids. */
async function role(bao: OpenBao, name: string, settings: object) {
  await bao.request('POST', 'sys/auth/approle', { type: 'approle' });
  await ask(bao, 'POST', `auth/approle/role/${name}`, { token_policies: [REPLICATOR], ...settings });
  const { role_id: roleId } = await ask<{ role_id: string }>(bao, 'GET', `auth/approle/role/${name}/role-id`);
  const secretId = async (): Promise<string> =>
    (await ask<{ secret_id: string }>(bao, 'POST', `auth/approle/role/${name}/secret-id`)).secret_id;
  const destroy = (id: string) => ask(bao, 'POST', `auth/approle/role/${name}/secret-id/destroy`, { secret_id: id });
  return { roleId, secretId, destroy };
}

/** A source that logs in so and is kept renewed, and all that it logs. */
function openSource(t: Test, bao: OpenBao, login: LoginMethod) {
  const lines: LogFields[] = [];
  const write = (line: LogFields): void => {
    lines.push(line);
  };
  const log = { debug: write, info: write, warn: write, error: write };
  const source = createVaultSource({ address: bao.address, timeout: 5000, token: { login }, mounts: [ref], log });
  t.teardown(() => source.close());
  source.renew();
  const logins = (): number => lines.filter(({ event }) => event === 'vault.logged_in').length;
  return { source, lines, logins };
}

/** Reads on and on until the condition holds; gives how often, and what failed. */
async function readUntil(read: () => Promise<unknown>, what: string, condition: () => boolean) {
  let reads = 0;
  const failures: string[] = [];
  await until(
    async () => {
      await read().catch((error: unknown) => failures.push(String(error)));
      reads += 1;
      return condition();
    },
    { what, deadline: 40_000, interval: 20 },
  );
  return { reads, failures };
}

const replaceFile = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.next`, text, { mode: 0o600 });
  await rename(`${path}.next`, path);
};

t.test('reads go on through renewals and through logins after the maximum life of each token', async (t) => {
  const bao = await openBao(t);
  const { roleId, secretId } = await role(bao, 'short', { token_ttl: '3s', token_max_ttl: '5s' });
  const file = join(t.testdir({ id: await secretId() }), 'id');
  const { source, lines, logins } = openSource(t, bao, appRole({ mount: 'approle', roleId, secretIdFile: file }));
  const { reads, failures } = await readUntil(
    () => source.read(ref),
    'four logins',
    () => logins() >= 4,
  );
  t.same(failures, []);
  t.ok(reads > 100);
  t.ok(lines.some(({ event }) => event === 'vault.token_renewed'));
});

t.test('a secret-id that is rotated in its file is taken up by the next login', async (t) => {
  const bao = await openBao(t);
  const { roleId, secretId, destroy } = await role(bao, 'batch', {
    ...{ token_ttl: '2s', token_type: 'batch', token_no_default_policy: true },
  });
  const first = await secretId();
  const file = join(t.testdir({ id: first }), 'id');
  const { source, logins } = openSource(t, bao, appRole({ mount: 'approle', roleId, secretIdFile: file }));
  await source.read(ref);
  await replaceFile(file, `${await secretId()}\n`);
  await destroy(first);
  const before = logins();
  const { failures } = await readUntil(
    () => source.read(ref),
    'two more logins',
    () => logins() >= before + 2,
  );
  t.same(failures, []);
});

t.test('a used-up secret-id is said to be so, and a new one in the file mends it', async (t) => {
  const bao = await openBao(t);
  const { roleId, secretId } = await role(bao, 'once', { token_ttl: '2s', token_type: 'batch', secret_id_num_uses: 1 });
  const file = join(t.testdir({ id: await secretId() }), 'id');
  const { source, lines, logins } = openSource(t, bao, appRole({ mount: 'approle', roleId, secretIdFile: file }));
  await source.read(ref);
  const refusals = () => lines.filter(({ event }) => event === 'vault.login_failed').length;
  await until(() => refusals() >= 2, { what: 'two refusals' });
  await until(
    () =>
      source.read(ref).then(
        () => false,
        () => true,
      ),
    { what: 'the token to end' },
  );
  await t.rejects(source.read(ref), { code: 'source_unavailable', message: /secret-id in .*used up/ });
  await replaceFile(file, await secretId());
  await until(() => source.read(ref), { what: 'a read with the new secret-id' });
  t.equal(logins(), 2);
  t.ok(refusals() <= 6, 'refused logins are spaced');
});

t.test(
  'a JWT logs in by the Kubernetes method, reviewed by a stand-in of its API, and by the JWT method',
  async (t) => {
    const bao = await openBao(t);
    const issuer = createIssuer();
    const account: ServiceAccount = { namespace: 'apps', name: 'vaultferry', uid: 'uid-1' };
    const jwts = [1, 2].map((turn) => issuer.jwt({ ...serviceAccountClaims(account), jti: `${turn}` }));
    const accounts = new Map(jwts.map((jwt) => [jwt, account]));
    const review = await startTokenReview(accounts);
    t.teardown(review.close);
    const file = join(t.testdir({ jwt: jwts[0] ?? '' }), 'jwt');
    const bound = { bound_service_account_names: ['vaultferry'], bound_service_account_namespaces: ['apps'] };
    const token = { token_policies: [REPLICATOR], token_ttl: '2s', token_type: 'batch' };
    await ask(bao, 'POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
    await ask(bao, 'POST', 'auth/kubernetes/config', {
      kubernetes_host: review.address,
      token_reviewer_jwt: jwts[0],
      disable_local_ca_jwt: true,
      kubernetes_ca_cert: readFileSync('test/fixtures/tls-cert.pem', 'utf8'),
    });
    await ask(bao, 'POST', 'auth/kubernetes/role/ferry', { ...bound, ...token, audience: 'vault' });
    await ask(bao, 'POST', 'sys/auth/jwt', { type: 'jwt' });
    await ask(bao, 'POST', 'auth/jwt/config', { jwt_validation_pubkeys: [issuer.publicKey] });
    const jwtRole = { role_type: 'jwt', user_claim: 'sub', bound_audiences: ['vault'] };
    await ask(bao, 'POST', 'auth/jwt/role/ferry', { ...jwtRole, ...token });

    const first = openSource(t, bao, kubernetes({ mount: 'kubernetes', role: 'ferry', jwtFile: file }));
    t.match(await first.source.read(ref), { kind: 'present' });
    t.match(review.reviewed[0], /\/tokenreviews$/);
    await replaceFile(file, jwts[1] ?? '');
    accounts.delete(jwts[0] ?? '');
    const { failures } = await readUntil(
      () => first.source.read(ref),
      'two more logins',
      () => first.logins() >= 3,
    );
    t.same(failures, []);

    const second = openSource(t, bao, kubernetes({ mount: 'jwt', role: 'ferry', jwtFile: file }));
    t.match(await second.source.read(ref), { kind: 'present' });
    await replaceFile(file, issuer.jwt({ sub: 'somebody' }));
    const third = openSource(t, bao, kubernetes({ mount: 'kubernetes', role: 'ferry', jwtFile: file }));
    await t.rejects(third.source.read(ref), { code: 'source_unavailable', message: /role "ferry".*JWT in / });
    t.notMatch(inspect([first.lines, third.lines], { depth: 9 }), jwts[1]?.split('.')[2] ?? 'none');
  },
);

t.test(
  'the whole program logs in by AppRole, again when its token is revoked, and by a connection secret',
  async (t) => {
    const world = await startWorld();
    t.teardown(() => world.end());
    const { bao, ferries, roto } = world;
    await ferries.kill('ferry');
    const { roleId, secretId } = await role(bao, 'ferry', { token_ttl: '10m' });
    const id = await secretId();
    const file = join(t.testdir({ id }), 'id');
    const auth = { method: 'approle', roleId, secretIdFile: file };
    await ferries.start('roled', { config: { vault: { auth }, ingress: { socket: world.socket() } } });
    await isReady(world, 'roled');
    await world.write('kv/one');
    await world.equal(['kv/one']);
    await ask(bao, 'PUT', 'sys/leases/revoke-prefix/auth/approle/login');
    await world.write('kv/two');
    await world.equal(['kv/one', 'kv/two']);
    t.same((await ferries.run(['dlq', 'list'])).code, 0, 'no letter');
    t.notMatch(ferries.said().join(''), id);
    await ferries.kill('roled');

    const client = new SecretsManagerClient(roto.client);
    t.teardown(() => client.destroy());
    const connection = (token: string): string => JSON.stringify({ vaultAddress: bao.address, vaultToken: token });
    const make = async (): Promise<string> => {
      const made = await bao.request('POST', 'auth/token/create', { policies: [REPLICATOR] });
      return (made.body as { auth: { client_token: string } }).auth.client_token;
    };
    const [old, fresh] = [await make(), await make()];
    await client.send(new CreateSecretCommand({ Name: 'ferry/vault', SecretString: connection(old) }));
    const vault = { address: undefined, auth: { method: 'token', connectionSecret: 'ferry/vault' } };
    await ferries.start('connected', { config: { vault, ingress: { socket: world.socket() } } });
    await isReady(world, 'connected');
    await world.write('kv/three');
    await world.equal(['kv/three']);
    await client.send(new PutSecretValueCommand({ SecretId: 'ferry/vault', SecretString: connection(fresh) }));
    await ask(bao, 'POST', 'auth/token/revoke', { token: old });
    await world.write('kv/four');
    await world.equal(['kv/three', 'kv/four']);
    t.notMatch(ferries.said().join(''), old);
    t.notMatch(ferries.said().join(''), fresh);
  },
);
