import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { startMiniStack } from '../servers/ministack.ts';
import { until } from '../servers/until.ts';
import { DOOR_AND_WORKER, killUnderWrites } from './catch-up.ts';
import { startWorld } from './world.ts';

const world = await startWorld(DOOR_AND_WORKER);
t.teardown(world.end);
const { ferries } = world;

t.test('killed a dozen times under writes, all is equal at the end, and the timer had no part in it', async (t) => {
  t.same([...(await killUnderWrites(world, 12))], ['gap']);
  t.strictSame(await world.aws.letters(), []);
});

/** A queue that forgets no deduplication id for five minutes, with an ingress that no server writes to. */
const mini = await startMiniStack();
t.teardown(() => mini.stop());
const queue = await mini.createQueues({ name: 'far' });
const far = { config: { queue }, env: { AWS_ENDPOINT_URL_SQS: mini.endpoint } };
const quiet = { ...far.config, vault: undefined, ingress: { socket: 'tcp://127.0.0.1:0' } };

const sweeps = () =>
  ferries
    .get('far-worker')
    .logs()
    .filter(({ event }) => event === 'sweep.finished');
const swept = (times: number) =>
  until(() => sweeps().length >= times, { what: `sweep number ${times}`, deadline: 60_000, interval: 100 });

t.test('two restarts two seconds apart make two sweeps, where SQS remembers ids', async (t) => {
  await ferries.start('far-worker', { ...far, roles: ['worker'] });
  await ferries.start('quiet', { ...far, roles: ['ingress'], config: quiet });
  await swept(1);
  for (const times of [2, 3]) {
    await delay(times === 2 ? 0 : 2_000); // the case itself, not a wait for something
    await ferries.kill('quiet');
    await ferries.restart('quiet');
    await swept(times);
  }
  t.equal(sweeps().length, 3);
});

t.test('who connects and says nothing, as health checks do, causes no sweep', async (t) => {
  const { port } = new URL(String(ferries.get('quiet').ready['socket']));
  for (let check = 0; check < 20; check += 1) {
    const client = net.connect(Number(port), '127.0.0.1');
    await once(client, 'connect');
    client.end();
    await once(client.resume(), 'close');
  }
  await ferries.kill('quiet');
  await ferries.restart('quiet');
  await swept(4);
  t.equal(sweeps().length, 4, 'the one of the start');
  t.notOk(sweeps().some(({ reason }) => String(reason).includes('connection')));
});
