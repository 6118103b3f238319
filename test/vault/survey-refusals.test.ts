import t, { type Test } from 'tap';
import type { Hidden, Surveyed } from '../../src/replicate/source.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createVaultSource } from '../../src/vault/source.ts';
import { denied, keysBody, lookupBody, mountBody, type Reply, startVaultHttp } from '../fakes/vault-http.ts';

const REF = { namespace: '', mount: 'kv' };
const LOOKUP = '/auth/token/lookup-self';
const ENTRY = '/sys/internal/ui/mounts/kv';
/** The entries before and after, the root's list, what is tried in vain, and the first of the refusals. */
const A_FEW = 20;

const metadata = (): Reply => {
  const version = { created_time: '2026-11-24T21:40:57.235646616Z', deletion_time: '', destroyed: false };
  return { body: JSON.stringify({ data: { current_version: 1, versions: { 1: version } } }) };
};

/** A Vault that has some secrets, and refuses the metadata of those that are `hidden`. */
async function world(t: Test, paths: readonly string[], hidden: (path: string) => boolean) {
  const vault = await startVaultHttp();
  let paced = 0;
  const pace = async () => {
    paced += 1;
  };
  const token = { token: new Sensitive('s.canary') };
  const source = createVaultSource({ address: vault.address, timeout: 5000, token, mounts: [REF], pace });
  t.teardown(async () => {
    await source.close();
    await vault.close();
  });
  vault.on(ENTRY, { body: mountBody('kv') });
  vault.on(LOOKUP, { body: lookupBody() });
  for (const way of ['?scan=true', '?list=true&limit=500&after=']) vault.on(`/kv/detailed-metadata/${way}`, denied);
  vault.on('/kv/metadata/?list=true', { body: keysBody(...paths) });
  for (const path of paths) vault.on(`/kv/metadata/${path}`, hidden(path) ? denied : metadata());
  const survey = async () => {
    const found: Surveyed[] = [];
    const { secrets, hidden: notShown } = await source.survey(REF, () => true);
    for await (const secret of secrets) found.push(secret);
    return { found, notShown: notShown as readonly Hidden[] };
  };
  return { vault, survey, paced: () => paced };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);

t.test('a policy that shows no metadata costs a few requests, each in its turn', async (t) => {
  const { vault, survey, paced } = await world(t, numbered(200), () => true);
  const { found, notShown } = await survey();
  t.equal(found.filter(({ state }) => state === undefined).length, 200);
  t.match(notShown, [{ what: 'metadata', error: { code: 'source_forbidden' } }]);
  t.ok(vault.requests.length <= 3 * A_FEW, `${vault.requests.length} requests`);
  t.equal(paced(), vault.requests.length);
});

t.test('a policy that hides some secrets costs one request for each, and the token is looked up once', async (t) => {
  const { vault, survey, paced } = await world(t, numbered(200), (path) => path !== 's0' && path.endsWith('0'));
  const { found } = await survey();
  t.equal(found.filter(({ state }) => state === undefined).length, 19);
  t.ok(vault.requests.length <= 200 + A_FEW, `${vault.requests.length} requests`);
  t.equal(vault.count(LOOKUP), 1);
  t.equal(paced(), vault.requests.length);
});

t.test('a token that dies meanwhile is no policy: the survey breaks off', async (t) => {
  const { vault, survey } = await world(t, numbered(200), () => true);
  for (const path of [LOOKUP, ENTRY]) {
    vault.on(path, path === ENTRY ? { body: mountBody('kv') } : denied, denied);
  }
  await t.rejects(survey(), { code: 'source_unavailable' });
});
