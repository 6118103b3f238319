import t from 'tap';
import { until } from '../servers/until.ts';
import { sentMessages } from './recorder.ts';
import { isReady, startWorld } from './world.ts';

/** A killed worker's messages stay hidden for the visibility timeout, 10 s here; so does what its last poll took. */
const REPAIRED_WITHIN = 45_000;

const world = await startWorld({
  lasting: true,
  // The ingress knows no Vault: it needs none where each route says its KV version.
  ferries: { door: { roles: ['ingress'], config: { vault: undefined } }, worker: { roles: ['worker'] } },
});
t.teardown(world.end);
const { aws, bao, canaries, equal, ferries, recorder, roto, write } = world;

const paths = (folder: string, count = 20) => Array.from({ length: count }, (_, number) => `${folder}/${number}`);

/** Writes each secret twice; `act` happens in the middle of it, and the writes go on meanwhile. */
async function burst(secrets: readonly string[], act: () => Promise<unknown>): Promise<void> {
  let acting: Promise<unknown> | undefined;
  for (const [number, path] of [...secrets, ...secrets].entries()) {
    await write(path);
    if (number === Math.floor(secrets.length / 2)) acting = act();
  }
  await acting;
}

t.test('both roles killed in mid-burst and started again', async () => {
  const secrets = paths('both');
  await burst(secrets, async () => {
    await Promise.all([ferries.kill('door'), ferries.kill('worker')]);
    await Promise.all([ferries.restart('door'), ferries.restart('worker')]);
  });
  await equal(secrets, REPAIRED_WITHIN);
});

t.test('a write while the ingress is down is repaired at its return, not by the timer', async (t) => {
  await write('gap/before');
  await equal(['gap/before']);
  await world.settled(REPAIRED_WITHIN);
  const calls = recorder.calls.length;
  await ferries.kill('door');
  const value = canaries.next();
  await write('gap/only', { value });
  await write('gap/before', { value });
  t.equal(await aws.copy('kv/gap/only'), undefined);
  await ferries.restart('door');
  // Nobody asks OpenBao anything meanwhile, so that no line of its own brings a connection.
  for (const name of ['kv/gap/only', 'kv/gap/before']) {
    await world.copy(name, (seen) => seen.value === JSON.stringify({ value }), REPAIRED_WITHIN);
  }
  const sweeps = sentMessages(recorder.calls.slice(calls)).filter(({ body }) => body.includes('"kind":"sweep"'));
  t.ok(sweeps.length > 0);
  t.ok(sweeps.every(({ body }) => body.includes('"origin":"gap"')));
});

t.test('the one line that a restarted ingress cannot know of is repaired as well', async () => {
  // The device notices the dead connection only at its second write: the first one goes into the kernel's buffer.
  await write('lost/0');
  await equal(['lost/0']);
  await ferries.kill('door');
  await ferries.restart('door');
  await world.settled(REPAIRED_WITHIN);
  await write('lost/1');
  await write('lost/2');
  await equal(['lost/1', 'lost/2'], REPAIRED_WITHIN);
});

t.test('a worker killed in mid-burst: its messages come back', async () => {
  const secrets = paths('worker');
  await burst(secrets, async () => {
    await ferries.kill('worker');
    await ferries.restart('worker');
  });
  await equal(secrets, REPAIRED_WITHIN);
});

t.test('SQS and Secrets Manager away while writes go on', async (t) => {
  const secrets = paths('away');
  await burst(secrets, async () => {
    roto.kill('SIGKILL');
    await until(async () => (await ferries.ask('door', 'admin', '/readyz')).body.includes('ingress.queue'), {
      what: 'the ingress to say that SQS is away',
      interval: 100,
    });
    for (const path of paths('meanwhile', 5)) await write(path);
    await roto.restart();
  });
  await equal([...secrets, ...paths('meanwhile', 5)], REPAIRED_WITHIN);
  await isReady(world, 'door');
  await isReady(world, 'worker');
  const reasonsOf = (name: string) =>
    ferries
      .get('worker')
      .logs()
      .flatMap(({ event, reason }) => (event === name ? [reason] : []))
      .sort();
  t.same(reasonsOf('consumer.resumed'), reasonsOf('consumer.paused'), 'whatever paused has resumed');
});

t.test('OpenBao restarted between writes', async () => {
  await write('restarted/before');
  await bao.restart();
  await write('restarted/after');
  await equal(['restarted/before', 'restarted/after'], REPAIRED_WITHIN);
});

t.test('nothing was parked, and no value stands where it should not', async (t) => {
  t.strictSame(await aws.letters(), []);
  t.strictSame(await world.leaks(), []);
});
