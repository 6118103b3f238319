import { once } from 'node:events';
import net from 'node:net';
import t, { type Test } from 'tap';
import { createMetrics } from '../../src/admin/metrics.ts';
import { ReplicationError } from '../../src/errors.ts';
import type { NotTaken, Outgoing } from '../../src/queue/ports.ts';
import { createRoutes } from '../../src/replicate/routes.ts';
import { createIngressRole } from '../../src/serve/ingress-role.ts';
import { kvEntry } from '../audit/entries.ts';
import { parse, withSections } from '../config/examples.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { until } from '../servers/until.ts';

const KV = { namespace: '', mount: 'kv' };
const TOKEN = 'an-audit-token';
const line = (path: string) => `${JSON.stringify(kvEntry(KV, 'update', `data/${path}`))}\n`;

type Send = (batch: readonly Outgoing[]) => Promise<readonly NotTaken[]>;

/** Both doors, over a queue that does with each batch what `send` says. */
async function house(t: Test, send: Send) {
  const http = { listen: 'http://127.0.0.1:0', tokens: [TOKEN] };
  const ingress = { socket: 'tcp://127.0.0.1:0', http };
  const config = parse(withSections({ ingress, routes: [{ mount: KV.mount, kvVersion: 2 }] }));
  if (config.ingress === false) throw new Error('the test configures an ingress');
  const { log, lines } = recordingLog();
  const metrics = createMetrics();
  const clock = manualClock();
  const mount = async () => {
    throw new ReplicationError('source_unavailable', 'the version is configured');
  };
  const routes = createRoutes(config.routes, config.destinations);
  const ports = { publisher: { send }, queueReachable: async () => true, mount, clock };
  const role = createIngressRole({ ...ports, config, routes, log, metrics }, config.ingress);
  const { socket = '', http: url } = await role.listen();
  // What is dirty stays so: nothing would ever be drained.
  t.teardown(() => void role.close());
  const vault = net.connect(Number(new URL(socket).port), '127.0.0.1');
  t.teardown(() => vault.destroy());
  await once(vault, 'connect');
  const post = (body: string) =>
    fetch(`${url}/v1/audit`, { method: 'POST', body, headers: { authorization: `Bearer ${TOKEN}` } });
  const counted = async (name: string) => (await metrics.registry.getSingleMetric(name)?.get())?.values;
  const events = (event: string) => lines.filter((one) => one.event === event);
  return { role, clock, vault, post, counted, events };
}

t.test('past a hundred thousand dirty copies all are left to one sweep, which is told and counted', async (t) => {
  const { vault, counted, events, role } = await house(t, () => new Promise(() => {}));
  for (let path = 0; path <= 101_000; path += 1_000) {
    const lines = Array.from({ length: 1_000 }, (_, index) => line(`app/${path + index}`)).join('');
    if (!vault.write(lines)) await once(vault, 'drain');
  }
  await until(() => events('change.dropped').length > 0, { what: 'the overflow', deadline: 120_000 });
  t.match(events('change.dropped'), [{ level: 'warn', copies: 100_001 }]);
  t.match(await counted('vaultferry_dirty_dropped_total'), [{ value: 100_001 }]);
  t.ok((role.gauges.dirtyRefs?.() ?? 0) < 100_001);
});

t.test('a change that SQS will never take is answered with 503 and never called queued', async (t) => {
  const code = 'InvalidMessageContents';
  const { clock, post, counted, events, role } = await house(t, async (batch) =>
    batch.flatMap(({ body }, index) => (body.includes('app/bad') ? [{ index, forGood: true, code }] : [])),
  );
  const answered = post(line('app/bad') + line('app/good'));
  await until(() => events('change.refused').length > 0, { what: 'the refusal' });
  await until(() => clock.sleepers > 0, { what: 'the wait for SQS' });
  await clock.advance(10_000);
  t.equal((await answered).status, 503);
  t.match(events('change.queued'), [{ ref: 'kv/app/good' }]);
  t.equal(events('change.queued').length, 1);
  t.match(events('change.refused'), [{ ref: 'kv/app/bad', code }]);
  t.match(await counted('vaultferry_queue_refused_total'), [{ labels: { kind: 'change' }, value: 1 }]);
  t.equal(role.gauges.dirtyRefs?.(), 0);
});

t.test('SQS that answers and takes nothing makes the ingress not ready', async (t) => {
  const { role, vault, post, clock, events } = await house(t, async (batch) =>
    batch.map((_, index) => ({ index, forGood: false, code: 'RequestThrottled' })),
  );
  const able = () => role.parts.find(({ name }) => name === 'ingress.queue')?.able();
  t.equal(await able(), true);
  vault.write(line('app/a'));
  await until(() => events('queue.unreachable').length > 0, { what: 'the first refusal' });
  t.equal(await able(), false);
  t.equal((await post(line('app/b'))).status, 503, 'at once');
  await clock.advance(5_000);
  t.equal(await able(), false, 'after further tries, too');
  t.match(events('queue.unreachable'), [{ code: 'RequestThrottled' }]);
  t.ok((role.gauges.oldestDirty?.() ?? 0) >= 5);
});
