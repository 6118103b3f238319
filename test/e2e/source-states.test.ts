import t from 'tap';
import { encodePath } from '../servers/openbao-api.ts';
import { until } from '../servers/until.ts';
import type { Copy } from './aws.ts';
import { REPLICATOR } from './setting.ts';
import { type Ref, refOf } from './source.ts';
import { startWorld } from './world.ts';

// The states of a secret in OpenBao that kinds.test.ts does not show; test/replicate/source-states.test.ts has them all.

const ROUTES = [
  { mount: 'kv', kvVersion: 'auto' },
  { mount: 'gone', kvVersion: 'auto' },
  { mount: 'kv', namespace: 'short/lived', kvVersion: 'auto', as: '{namespace}/{mount}/{path}' },
  { mount: 'wrong', kvVersion: 2 },
];
const world = await startWorld({ routes: ROUTES, lasting: true });
t.teardown(world.end);
const { bao, aws, canaries, write, equal, copy } = world;

/** Any call to KV v2; `kind` is `destroy`, `metadata`, … */
async function ask(method: string, kind: string, ref: Ref | string, body?: unknown): Promise<void> {
  const { mount, path, namespace = '' } = refOf(ref);
  const { status } = await bao.request(method, `${mount}/${kind}/${encodePath(path)}`, body, { namespace });
  if (status >= 300) throw new Error(`OpenBao answered ${status} to ${method} ${kind}/${path}`);
}

/** Asks for a look, as `vaultferry replicate` does. */
const look = (ref: Ref | string): Promise<void> => {
  const { mount, path, namespace = '' } = refOf(ref);
  const route = namespace === '' ? mount : `${namespace}:${mount}`;
  const where = { vault: 'vault', namespace, mount, path, route, destination: 'default' };
  return aws.send(JSON.stringify({ v: 1, kind: 'change', ...where, origin: 'operator' }));
};

const present = ({ tags }: Copy) => !('vaultferry:absent' in tags);
const absent = (why: RegExp) => (seen: Copy) => why.test(seen.tags['vaultferry:absent'] ?? '');

/** Waits for a line of the log, after `from`, that says all of this; texts need only be a part of what it says. */
const logged = (wanted: Readonly<Record<string, string>>, from = 0) =>
  until(
    () =>
      world.ferries
        .get('ferry')
        .logs()
        .slice(from)
        .find((line) => Object.entries(wanted).every(([key, text]) => String(line[key]).includes(text))),
    { what: `the log to say ${JSON.stringify(wanted)}`, deadline: 20_000 },
  );
const lines = () => world.ferries.get('ferry').logs().length;

/** What the replicator may do. */
async function policy(): Promise<string> {
  const { body } = await bao.request('GET', `sys/policies/acl/${REPLICATOR}`);
  return (body as { data: { policy: string } }).data.policy;
}

/** Waits for a letter of this code and ref that was not there before. */
let read = 0;
async function letter(code: string, ref: string): Promise<void> {
  await until(
    async () =>
      (await aws.letters())
        .slice(read)
        .some(({ attributes }) => attributes['code'] === code && attributes['ref'] === ref),
    { what: `a letter ${code} of ${ref}`, deadline: 20_000 },
  );
  read = (await aws.letters()).length;
}

t.test('the latest version destroyed while older ones live is absence, not the older value', async (t) => {
  await write('history');
  await write('history');
  await equal(['history']);
  const before = await copy('kv/history');
  await ask('PUT', 'destroy', 'history', { versions: [2] });
  t.match(await copy('kv/history', absent(/ destroyed$/)), { value: before.value, versionId: before.versionId });
  await write('history');
  await equal(['history']);
});

t.test('a rollback is a new version with an old value', async (t) => {
  const old = { password: canaries.next() };
  await write('rolled', old);
  await write('rolled');
  await equal(['rolled']);
  await write('rolled', old); // what `vault kv rollback` does
  await equal(['rolled']);
  t.match(await copy('kv/rolled'), { value: JSON.stringify(old), tags: { version: '3' } });
});

t.test('an empty object', async (t) => {
  await write('empty', {});
  await equal(['empty']);
  t.equal((await copy('kv/empty')).value, '{}');
});

t.test('a version that expires is absent from then on, which no line tells', async (t) => {
  await ask('POST', 'metadata', 'expiring', { delete_version_after: '2s' });
  await write('expiring');
  await copy('kv/expiring', present);
  await until(async () => (await bao.request('GET', 'kv/data/expiring')).status === 404, {
    what: 'the version to expire',
  });
  t.ok(present(await copy('kv/expiring')));
  await look('expiring');
  await copy('kv/expiring', absent(/ \d{4}-\d\d-\d\dT[\d:.]+Z$/));
  await write('expiring');
  await copy('kv/expiring', present);
});

t.test('a path that the policy forbids is parked with the line to add, and its copy stays', async (t) => {
  await write('forbidden');
  await equal(['forbidden']);
  const before = await copy('kv/forbidden');
  const text = await policy();
  const denying = `${text}\npath "kv/data/forbidden" { capabilities = ["deny"] }`;
  await bao.request('PUT', `sys/policies/acl/${REPLICATOR}`, { policy: denying });
  await write('forbidden');
  await letter('source_forbidden', 'kv/forbidden');
  t.strictSame(await aws.copy('kv/forbidden'), before);
  await bao.request('PUT', `sys/policies/acl/${REPLICATOR}`, { policy: text });
  await look('forbidden');
  await equal(['forbidden']);
});

t.test('a sealed OpenBao proves nothing', async (t) => {
  await write('sealed');
  await equal(['sealed']);
  const before = await copy('kv/sealed');
  const from = lines();
  t.equal((await bao.request('PUT', 'sys/seal')).status, 204);
  await look('sealed');
  await logged({ event: 'consumer.paused' }, from);
  t.strictSame(await aws.copy('kv/sealed'), before);
  await bao.restart();
  await logged({ event: 'consumer.resumed' }, from);
  await write('sealed');
  await equal(['sealed']);
  t.strictSame((await aws.letters()).slice(read), []);
});

t.test('after a snapshot is restored, an older version waits, and a new one goes at once', async (t) => {
  for (const path of ['restored', 'rewritten']) {
    await write(path);
    await write(path);
    await equal([path]);
  }
  const headers = { 'x-vault-token': bao.rootToken };
  const snapshot = await (await fetch(`${bao.address}/v1/sys/storage/raft/snapshot`, { headers })).arrayBuffer();
  for (const path of ['restored', 'rewritten']) {
    await write(path);
    await equal([path]);
  }
  const before = await copy('kv/restored');
  const from = lines();
  const url = `${bao.address}/v1/sys/storage/raft/snapshot`;
  t.equal((await fetch(url, { method: 'POST', headers, body: snapshot })).status, 204);
  await until(async () => (await bao.request('GET', 'sys/health')).status === 200, {
    what: 'OpenBao to be back',
    deadline: 20_000,
  });
  await logged({ event: 'sweep.started', reason: 'snapshot_restore' }, from);
  await logged({ event: 'secret.held', ref: 'kv/restored', code: 'source_stale' }, from);
  t.strictSame(await aws.copy('kv/restored'), before, 'believed after two minutes of nothing else');
  t.equal((await write('rewritten')).version, 3, 'the same number again');
  await equal(['rewritten']);
});

t.test('a mount that is gone proves nothing; enabled anew, as either version, it is a conflict', async (t) => {
  const ref = { mount: 'gone', path: 'app' };
  await write(ref);
  await equal([ref]);
  const before = await copy('gone/app');
  const from = lines();
  await bao.request('PUT', `sys/policies/acl/${REPLICATOR}`, {
    policy: `${await policy()}\npath "gone/*" { capabilities = ["read"] }`,
  });
  t.equal((await bao.request('DELETE', 'sys/mounts/gone')).status, 204);
  await logged({ event: 'sweep.listing_failed', mount: 'gone' }, from);
  await look(ref);
  await logged({ event: 'secret.held', ref: 'gone/app', code: 'source_unavailable' }, from);
  t.strictSame(await aws.copy('gone/app'), before);
  await bao.createKv('gone', 1);
  await letter('not_owned', 'gone/app');
  t.equal((await bao.request('DELETE', 'sys/mounts/gone')).status, 204);
  await bao.createKv('gone', 2);
  await look(ref);
  await letter('not_owned', 'gone/app');
  await write(ref);
  await look(ref);
  await letter('not_owned', 'gone/app');
  t.strictSame(await aws.copy('gone/app'), before);
});

t.test('a namespace that is gone proves nothing', async (t) => {
  const ref = { namespace: 'short/lived', mount: 'kv', path: 'app' };
  await write(ref);
  const before = await copy('short/lived/kv/app', ({ value }) => value !== undefined);
  const from = lines();
  t.equal((await bao.request('DELETE', 'sys/namespaces/lived', undefined, { namespace: 'short' })).status, 200);
  const gone = async () => (await bao.request('GET', 'sys/namespaces/lived', undefined, { namespace: 'short' })).status;
  await until(async () => (await gone()) === 404, { what: 'the namespace to be gone' });
  await look(ref);
  const line = await logged({ event: 'secret.held', ref: 'short/lived:kv/app' }, from);
  t.match(line, { code: /^source_/ });
  t.strictSame(await aws.copy('short/lived/kv/app'), before);
});

t.test('a mount of another version than its route says is parked as such', async (t) => {
  t.equal((await bao.request('DELETE', 'sys/mounts/wrong')).status, 204);
  await bao.createKv('wrong', 1);
  await look({ mount: 'wrong', path: 'app' });
  await letter('mount_version_mismatch', 'wrong/app');
  t.equal(await aws.copy('wrong/app'), undefined);
});

t.test('a value is read back from AWS for KV v1 alone', async (t) => {
  t.notOk(world.recorder.calls.some(({ operation }) => operation === 'GetSecretValue'));
  t.strictSame(await world.leaks(), []);
});
