import { readFileSync } from 'node:fs';
import t from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { lookupBody, mountBody, startVaultHttp, valueBody } from '../fakes/vault-http.ts';

const tls = {
  cert: readFileSync('test/fixtures/tls-cert.pem', 'utf8'),
  key: readFileSync('test/fixtures/tls-key.pem', 'utf8'),
};
const hostile = {
  DEBUG: '*',
  VAULT_SKIP_VERIFY: '1',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  VAULT_TOKEN: 's.from-environment',
  VAULT_NAMESPACE: 'environment',
  VAULT_PREFIX: '/environment',
  VAULT_ADDR: 'http://127.0.0.1:1',
};

// Set before node-vault and its debug module are loaded, which is why the source is imported later.
const saved = { ...process.env };
Object.assign(process.env, hostile);
t.teardown(() => {
  for (const name of Object.keys(hostile)) delete process.env[name];
  Object.assign(process.env, saved);
});

t.test('no variable of the environment makes node-vault speak or changes where it asks and as whom', async (t) => {
  const { createVaultSource } = await import('../../src/vault/source.ts');
  const vault = await startVaultHttp(tls);
  const options = { address: vault.address, timeout: 5000, token: { token: new Sensitive('s.configured') } };
  const trusting = createVaultSource({ ...options, ca: tls.cert });
  const wary = createVaultSource(options);
  trusting.renew();
  t.teardown(async () => {
    await trusting.close();
    await wary.close();
    await vault.close();
  });
  vault.on('/auth/token/lookup-self', { body: lookupBody() });
  vault.on('/sys/internal/ui/mounts/kv', { body: mountBody('kv') });
  vault.on('/kv/data/a', { body: valueBody('{"a":"canary"}') });
  const printed: string[] = [];
  const keep = (chunk: unknown): boolean => printed.push(String(chunk)) > 0;
  const out = t.capture(process.stdout, 'write', keep);
  const err = t.capture(process.stderr, 'write', keep);
  const state = await trusting.read({ namespace: '', mount: 'kv', path: 'a' });
  const refusal: unknown = await wary.ping().catch((error: unknown) => error);
  out.restore();
  err.restore();

  t.match(state, { kind: 'present' });
  t.match(refusal, { code: 'source_unavailable', message: /self-signed/ });
  t.notMatch(printed.join(''), /node-vault|canary|s\.configured|kv\/data/);
  t.ok(vault.requests.length >= 3);
  for (const { headers, path } of vault.requests) {
    t.match(headers, { 'x-vault-token': 's.configured' });
    t.notOk(headers['x-vault-namespace']);
    t.notMatch(path, /environment/);
  }
});
