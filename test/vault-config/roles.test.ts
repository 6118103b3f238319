import t from 'tap';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createVaultSource } from '../../src/vault/source.ts';
import { startOpenBao } from '../servers/openbao.ts';
import { accepted } from '../servers/openbao-api.ts';
import { configFile, renderPolicy } from './files.ts';

const bao = await startOpenBao();
t.teardown(() => bao.stop());
await bao.createKv('kv', 2);
await bao.put('kv', 'one', { k: 'canary-value' });
await demand('PUT', 'sys/policies/acl/vaultferry', { policy: renderPolicy('openbao', ['kv']) });

async function demand(method: string, path: string, body?: unknown): Promise<unknown> {
  return accepted(await bao.request(method, path, body), method, path).body;
}

const role = (method: string): object => ({
  ...JSON.parse(configFile(`auth/${method}.json`)),
  token_policies: ['vaultferry'],
});

t.test('the AppRole role logs in to a renewable token of the one policy', async (t) => {
  await demand('POST', 'sys/auth/approle', { type: 'approle' });
  await demand('POST', 'auth/approle/role/vaultferry', role('approle'));
  const id = (await demand('GET', 'auth/approle/role/vaultferry/role-id')) as { data: { role_id: string } };
  const secret = (await demand('POST', 'auth/approle/role/vaultferry/secret-id', {})) as {
    data: { secret_id: string; secret_id_ttl: number };
  };
  t.equal(secret.data.secret_id_ttl, 0);
  const body = { role_id: id.data.role_id, secret_id: secret.data.secret_id };
  const { auth } = (await demand('POST', 'auth/approle/login', body)) as { auth: Record<string, unknown> };
  t.match(auth, { policies: ['vaultferry'], token_policies: ['vaultferry'], renewable: true, lease_duration: 3600 });
  t.match(auth, { token_type: 'service', num_uses: 0 });

  const token = { token: new Sensitive(String(auth['client_token'])) };
  const source = createVaultSource({ address: bao.address, timeout: 10_000, token });
  t.teardown(() => source.close());
  const ref: SecretRef = { namespace: '', mount: 'kv', path: 'one' };
  t.match(await source.read(ref), { kind: 'present', version: 1 });
  await source.ping();
});

t.test('the Kubernetes role is taken as it stands', async (t) => {
  await demand('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
  await demand('POST', 'auth/kubernetes/role/vaultferry', role('kubernetes'));
  t.match(await demand('GET', 'auth/kubernetes/role/vaultferry'), { data: role('kubernetes') });
});

t.test('every role gives the same token, and binds who may log in', (t) => {
  const rules = (method: string): object =>
    Object.fromEntries(Object.entries(role(method)).filter(([name]) => name.startsWith('token_')));
  for (const method of ['aws', 'kubernetes']) t.strictSame(rules(method), rules('approle'), method);
  t.match(role('aws'), { auth_type: 'iam', bound_iam_principal_arn: [/^arn:aws:iam::\d{12}:role\/[\w-]+$/] });
  t.match(role('kubernetes'), { bound_service_account_names: ['vaultferry'], audience: 'vault' });
  t.match(role('approle'), { bind_secret_id: true });
  t.end();
});
