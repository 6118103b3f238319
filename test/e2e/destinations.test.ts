import { randomUUID } from 'node:crypto';
import t from 'tap';
import { encodeMessage } from '../../src/queue/message.ts';
import { type Fault, startFaultProxy } from '../servers/fault-proxy.ts';
import { startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';
import { createAws } from './aws.ts';
import { isEqual, readSource } from './source.ts';
import { startWorld } from './world.ts';

const REPAIRED_WITHIN = 45_000;

// A second account in another region, which the proxy takes away.
const farRoto = await startRoto();
const far = await startFaultProxy(farRoto.endpoint);
const routes = [{ mount: 'kv', kvVersion: 2, to: ['near', 'far'] }];
const destinations = { near: {}, far: { region: 'eu-west-1', endpoint: far.endpoint } };
const world = await startWorld({ routes, config: { destinations } });
const { aws, bao, ferries, roto, write } = world;
const counting = await startFaultProxy(roto.endpoint);
await ferries.get('ferry').stop();
const ferry = await ferries.start('counted', { env: { AWS_ENDPOINT_URL_SQS: counting.endpoint } });
const farAws = createAws({ ...farRoto.client, region: 'eu-west-1' }, world.queues);
t.teardown(async () => {
  await world.end();
  farAws.close();
  farRoto.kill('SIGKILL');
  await Promise.all([counting.close(), far.close(), farRoto.stop()]);
});

const equalFar = (paths: readonly string[]) =>
  until(
    async () => {
      const equal = await Promise.all(
        paths.map(async (path) =>
          isEqual(await readSource(bao, { mount: 'kv', path }), await farAws.copy(`kv/${path}`)),
        ),
      );
      return equal.every(Boolean);
    },
    { what: `${paths.join()} to be equal far away`, deadline: REPAIRED_WITHIN },
  );
const logged = (event: string, fields: Record<string, unknown> = {}, from = 0) =>
  ferry
    .logs()
    .slice(from)
    .filter((line) => line['event'] === event && Object.entries(fields).every(([key, value]) => line[key] === value));
const told = (event: string, fields: Record<string, unknown>, from = 0) =>
  until(() => logged(event, fields, from).length > 0, { what: `${event} ${JSON.stringify(fields)}`, deadline: 20_000 });
/** Messages that came since, and were received more often than so. */
const oftener = (known: ReadonlyMap<string, number>, receives: number) =>
  [...counting.receives].filter(([id, count]) => !known.has(id) && count > receives);
const failing: Fault = { error: 'InternalServiceError', status: 500 };

t.test('both destinations get every write', async () => {
  await write('a');
  await write('hidden');
  await world.equal(['a', 'hidden']);
  await equalFar(['a', 'hidden']);
});

t.test(
  'while one is down the other gets its writes, sweeps go on, and nothing is received again and again',
  async (t) => {
    const from = ferry.logs().length;
    const known = new Map(counting.receives);
    far.fault = () => failing;
    await write('a');
    await told('consumer.paused', { reason: 'destinations.far' }, from);
    for (const path of ['a', 'b', 'c']) await write(path);
    await world.equal(['a', 'b', 'c']);
    const { body } = await ferries.ask('counted', 'admin', '/metrics');
    t.match(body, 'vaultferry_consumer_paused{reason="destinations.far"} 1\n');
    t.match(body, 'vaultferry_consumer_paused{reason="destinations.near"} 0\n');
    t.equal(logged('secret.replicated', { ref: 'kv/b', destination: 'far' }, from).length, 0);

    await aws.send(encodeMessage({ v: 1, kind: 'sweep', vault: 'vault', origin: 'operator', reason: randomUUID() }));
    await told('sweep.finished', { result: 'partial' }, from);
    t.match(logged('sweep.finished', { result: 'partial' }, from), [{ down: ['far'], failed: [] }]);
    await write('d');
    await world.equal(['d']);

    far.fault = undefined;
    await told('consumer.resumed', { reason: 'destinations.far' }, from);
    await equalFar(['a', 'b', 'c', 'd', 'hidden']);
    await told('sweep.finished', { result: 'complete', reason: 'destination' }, from);
    await world.settled(REPAIRED_WITHIN);
    t.strictSame(oftener(known, 2), []);
  },
);

t.test('when its writes alone fail, it is neither parked nor received again, and goes on by itself', async (t) => {
  const from = ferry.logs().length;
  const known = new Map(counting.receives);
  far.fault = (operation) => (/^(Put|Create)/.test(operation) ? failing : undefined);
  const paths = ['a', 'b', 'c', 'born'];
  for (const path of paths) await write(path);
  await world.equal(paths);
  await until(
    () =>
      paths.every(
        (path) => logged('secret.held', { ref: `kv/${path}`, code: 'destination_unavailable' }, from).length > 2,
      ),
    { what: 'each to be held for the third time', deadline: REPAIRED_WITHIN },
  );
  t.equal(logged('consumer.paused', {}, from).length, 0, 'the destination answers');
  t.strictSame(oftener(known, 1), [], 'it waits in the process');
  far.fault = undefined;
  await equalFar(paths);
  await world.settled(REPAIRED_WITHIN);
  t.strictSame(await aws.letters(), []);
  t.strictSame(await world.leaks(), []);
});
