import { randomBytes } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import t from 'tap';
import { startOpenBao } from '../servers/openbao.ts';
import { startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';
import { documentedRequest } from '../sweep/documented.ts';
import { createAws } from './aws.ts';
import { createCanaries } from './canaries.ts';
import { createFerries } from './ferries.ts';
import { configOf, policyFor, prepare } from './setting.ts';
import { isEqual, readSource } from './source.ts';

const routes = [{ mount: 'kv', kvVersion: 2 }];
const token = `replicator-${randomBytes(12).toString('hex')}`;

const [roto, bao] = await Promise.all([startRoto({}), startOpenBao()]);
const queues = await roto.createQueues({ name: 'pull' });
const configText = configOf({
  ...{ over: { ingress: false, sweep: { every: '30d' } }, routes, queues, socket: { address: '' } },
  vaultPort: Number(new URL(bao.address).port),
});
const ferries = await createFerries(configText, { ...roto.env, VAULT_TOKEN: token }, () => undefined);
const aws = createAws(roto.client, queues);
const canaries = createCanaries();
t.teardown(async () => {
  await ferries.end();
  aws.close();
  await Promise.all([bao.stop(), roto.end()]);
});
await prepare(bao, routes, token, policyFor(routes));

const write = (path: string) => bao.put('kv', path, { password: canaries.next() });
async function equal(...paths: readonly string[]) {
  for (const path of paths) {
    const same = async () => isEqual(await readSource(bao, { mount: 'kv', path }), await aws.copy(`kv/${path}`));
    await until(same, { what: `kv/${path} to be equal at both ends`, deadline: 20_000 });
  }
}
const marked = async (path: string) => 'vaultferry:absent' in ((await aws.copy(`kv/${path}`))?.tags ?? {});

t.test('a worker without an ingress carries all that is there when it starts', async (t) => {
  const paths = ['a', 'b/c', 'gone'];
  for (const path of paths) await write(path);
  const { ready } = await ferries.start('ferry');
  t.notOk('socket' in ready || 'http' in ready, 'nothing listens for a push');
  await equal(...paths);
});

t.test('what changes later waits for a sweep, which a scheduler asks for as the documentation says', async (t) => {
  const { waitForLog } = ferries.get('ferry');
  await waitForLog(({ event }) => event === 'sweep.finished');
  await until(async () => (await aws.waiting()) === 0, { what: 'the queue to be empty' });
  await write('a');
  await write('new');
  await bao.request('DELETE', 'kv/data/gone');
  t.equal(await aws.copy('kv/new'), undefined, 'nobody has told');

  const { request } = await documentedRequest();
  const id = request.MessageDeduplicationId.replace('<aws.scheduler.scheduled-time>', '2026-11-24T10:00:00Z');
  await aws.sqs.send(new SendMessageCommand({ ...request, QueueUrl: queues.url, MessageDeduplicationId: id }));
  const isTimers = ({ event, reason }: { event?: unknown; reason?: unknown }) =>
    event === 'sweep.finished' && reason === 'timer';
  t.match(await waitForLog(isTimers), {
    result: 'complete',
    enqueued: 3,
    found: { default: { missing: 1, stale: 1 } },
  });
  await equal('a', 'b/c', 'new');
  await until(() => marked('gone'), { what: 'the copy of what is gone to be marked' });
  t.strictSame(await aws.letters(), []);
  t.strictSame(
    ferries.said().flatMap((text) => canaries.spellingsIn(text)),
    [],
  );
});

t.test('and it ends in time', async (t) => {
  t.match(await ferries.get('ferry').stop(), { code: 0 });
});
