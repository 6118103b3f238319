import { randomBytes } from 'node:crypto';
import t from 'tap';
import { startOpenBaoCluster } from '../servers/openbao-cluster.ts';
import { startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';
import { type Copy, createAws } from './aws.ts';
import { createFerries } from './ferries.ts';
import { auditSocket, configOf, holdPort, policyFor, prepare, REPLICATOR } from './setting.ts';
import { isEqual, readSource, refOf } from './source.ts';
import { isReady } from './world.ts';

// Three OpenBaos, of which VaultFerry reads the one that never leads: what it answers may be old.

const ROUTES = [{ mount: 'kv', kvVersion: 'auto' }];
const token = `replicator-${randomBytes(12).toString('hex')}`;
const roto = await startRoto();
const [queues, held] = await Promise.all([roto.createQueues({ name: 'standby' }), holdPort()]);
const socket = { address: 'tcp://127.0.0.1:0' };
const configText = configOf({ over: {}, routes: ROUTES, vaultPort: held.port, queues, socket });
const ferries = await createFerries(configText, { ...roto.env, VAULT_TOKEN: token }, ({ ready }) => {
  socket.address = String(ready['socket']);
});
const ferry = await ferries.start('ferry');
await held.release();
const cluster = await startOpenBaoCluster({ standbyPort: held.port, auditSocket: auditSocket(socket.address).address });
const aws = createAws(roto.client, queues);
t.teardown(async () => {
  await ferries.end();
  aws.close();
  await Promise.all([cluster.stop(), roto.end()]);
});
const bao = cluster.leader.api;
const [, standby] = cluster.standbys;
await prepare(bao, ROUTES, token, policyFor(ROUTES));
await isReady({ ferries }, 'ferry', () => standby.api.makeToken(token, REPLICATOR));
await settled();

/** Waits until the queue is empty and nothing in flight. */
async function settled(): Promise<void> {
  await until(async () => (await aws.waiting()) === 0, { what: 'the queue to be empty', deadline: 30_000 });
}

const write = (path: string, n: number) => bao.put('kv', path, { n });
const equal = (path: string) =>
  until(async () => isEqual(await readSource(bao, refOf(path)), await aws.copy(`kv/${path}`)), {
    what: `${path} to be equal at both ends`,
    deadline: 30_000,
  });
const copy = async (path: string): Promise<Copy> => (await aws.copy(`kv/${path}`)) ?? Promise.reject(new Error(path));

/** Waits until the standby answers `status`, so that all it has heard of is in. */
const heard = (path: string, status: number) =>
  until(async () => (await standby.api.request('GET', `kv/data/${path}`)).status === status, {
    what: `the standby to answer ${status} for ${path}`,
    deadline: 20_000,
  });

/** Waits for a line that says that this secret must wait, since Vault's answer is old. */
const heldBack = (path: string) =>
  until(
    () =>
      ferry
        .logs()
        .some(({ event, ref, code }) => event === 'secret.held' && ref === `kv/${path}` && code === 'source_stale'),
    { what: `${path} to be held as stale`, deadline: 20_000 },
  );

t.test('what is written at the leader arrives by way of a standby', async (t) => {
  const paths = Array.from({ length: 6 }, (_, number) => `app/${number}`);
  for (let n = 1; n <= 3; n += 1) for (const path of paths) await write(path, n);
  for (const path of paths) await equal(path);
  t.strictSame(await aws.letters(), []);
});

t.test('a standby that lags holds back what was told, and nothing is lost or goes backwards', async (t) => {
  for (const path of ['kept', 'removed', 'purged']) {
    await write(path, 1);
    await equal(path);
  }
  await write('kept', 2);
  await equal('kept');
  const before = { kept: await copy('kept'), removed: await copy('removed'), purged: await copy('purged') };
  await settled();
  standby.hold();
  await write('kept', 3);
  await write('new', 1);
  await bao.request('DELETE', 'kv/metadata/purged');
  await write('purged', 2); // version 1 again, later
  for (const path of ['kept', 'new', 'purged']) await heldBack(path);
  t.strictSame(await copy('kept'), before.kept);
  t.strictSame(await copy('purged'), before.purged);
  t.equal(await aws.copy('kv/new'), undefined);
  t.ok((await aws.waiting()) >= 3, 'each is still on the queue');
  standby.release();
  for (const path of ['kept', 'new', 'purged']) await equal(path);
  t.not((await copy('purged')).versionId, before.purged.versionId);
  await settled();
  t.strictSame(await aws.letters(), []);
});

t.test('a delete names no version, so that a lagging standby hides it until the next look', async (t) => {
  await heard('removed', 200);
  standby.hold();
  const from = ferry.logs().length;
  await bao.request('DELETE', 'kv/data/removed');
  await until(
    () =>
      ferry
        .logs()
        .slice(from)
        .some(({ event, ref }) => event === 'secret.kept' && ref === 'kv/removed'),
    { what: 'the old answer to be believed', deadline: 20_000 },
  );
  t.notOk('vaultferry:absent' in (await copy('removed')).tags);
  standby.release();
  await heard('removed', 404);
  t.match(await ferries.run(['replicate', 'kv/removed']), { code: 0 });
  await until(async () => 'vaultferry:absent' in (await copy('removed')).tags, { what: 'the mark', deadline: 20_000 });
});
