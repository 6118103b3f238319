import t from 'tap';
import { createMetrics, type Gauges, type QueueCounts } from '../../src/admin/metrics.ts';

/** The samples of our own metrics, by name and labels as Prometheus writes them. */
async function samples(metrics: ReturnType<typeof createMetrics>): Promise<Record<string, number>> {
  const lines = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('vaultferry_'));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

t.test('what is counted, by the promised names and labels', async (t) => {
  const metrics = createMetrics();
  metrics.entry('change');
  metrics.entry('change');
  metrics.entry('skipped');
  metrics.change('kv');
  metrics.queueRefused('change');
  metrics.dirtyDropped(100_001);
  metrics.replicated('default', 'created');
  metrics.failed('not_owned');
  metrics.swept('timer', 'partial', 2);
  metrics.lag(0.3);
  const counted = await samples(metrics);
  t.match(counted, {
    'vaultferry_audit_lines_total{result="change"}': 2,
    'vaultferry_audit_lines_total{result="skipped"}': 1,
    vaultferry_audit_bytes_total: 0,
    'vaultferry_changes_total{route="kv"}': 1,
    'vaultferry_queue_refused_total{kind="change"}': 1,
    vaultferry_dirty_dropped_total: 100_001,
    'vaultferry_replications_total{destination="default",outcome="created"}': 1,
    'vaultferry_failures_total{code="not_owned"}': 1,
    'vaultferry_sweeps_total{reason="timer",result="partial"}': 1,
    vaultferry_sweep_duration_seconds_sum: 2,
    'vaultferry_replication_lag_seconds_bucket{le="0.25"}': 0,
    'vaultferry_replication_lag_seconds_bucket{le="0.5"}': 1,
    vaultferry_replication_lag_seconds_count: 1,
  });
});

t.test('lines that were never parsed are those that no result was counted for', async (t) => {
  const metrics = createMetrics();
  metrics.audit({ bytes: 100, lines: 3 }, { bytes: 1_100, lines: 13 }, 4);
  metrics.audit({ bytes: 1_100, lines: 13 }, { bytes: 1_200, lines: 13 }, 0);
  t.match(await samples(metrics), {
    vaultferry_audit_bytes_total: 1_100,
    'vaultferry_audit_lines_total{result="irrelevant"}': 6,
  });
});

t.test('gauges are read when they are asked for', async (t) => {
  const metrics = createMetrics();
  let dirty = 3;
  let sentAt: number | undefined;
  let paused = false;
  const gauges: Gauges = {
    dirtyRefs: () => dirty,
    connections: () => 2,
    oldestSentAt: () => sentAt,
    paused: () =>
      new Map([
        ['queue', paused],
        ['destinations.a', !paused],
      ]),
  };
  metrics.addGauges(gauges);
  t.match(await samples(metrics), {
    vaultferry_dirty_refs: 3,
    vaultferry_ingress_connections: 2,
    vaultferry_queue_oldest_seconds: 0,
    'vaultferry_consumer_paused{reason="queue"}': 0,
    'vaultferry_consumer_paused{reason="destinations.a"}': 1,
  });
  [dirty, sentAt, paused] = [0, Date.now() - 60_000, true];
  const later = await samples(metrics);
  t.match(later, {
    vaultferry_dirty_refs: 0,
    'vaultferry_consumer_paused{reason="queue"}': 1,
    'vaultferry_consumer_paused{reason="destinations.a"}': 0,
  });
  const age = later['vaultferry_queue_oldest_seconds'] ?? 0;
  t.ok(age >= 60 && age < 75, `${age} s`);
  sentAt = Date.now() + 60_000;
  t.equal((await samples(metrics))['vaultferry_queue_oldest_seconds'], 0, 'no age is below zero');
});

t.test('roles add their own gauges, and what does not run has none', async (t) => {
  const metrics = createMetrics();
  metrics.addGauges({ dirtyRefs: () => 1, connections: () => 1 });
  metrics.addGauges({});
  const names = Object.keys(await samples(metrics));
  t.ok(names.includes('vaultferry_dirty_refs'));
  t.notOk(names.some((name) => /queue_|consumer_paused|dead_letters/.test(name)));
});

t.test("the process's own metrics are there, and two processes' registries are apart", async (t) => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.failed('internal');
  t.match(await one.registry.metrics(), /^process_cpu_seconds_total|^nodejs_/m);
  t.notMatch(await two.registry.metrics(), /internal/);
});

t.test('the queues are asked when somebody asks, and what is not known is absent', async (t) => {
  const metrics = createMetrics();
  let counts: QueueCounts = { messages: { visible: 5, in_flight: 2, delayed: 1 }, deadLetters: 3 };
  metrics.addGauges({ queues: async () => counts });
  const queues = async () =>
    Object.fromEntries(Object.entries(await samples(metrics)).filter(([name]) => /queue_messages|letters/.test(name)));
  const known = {
    'vaultferry_queue_messages{state="visible"}': 5,
    'vaultferry_queue_messages{state="in_flight"}': 2,
    'vaultferry_queue_messages{state="delayed"}': 1,
    vaultferry_dead_letters: 3,
  };
  t.same(await queues(), known);
  counts = {};
  t.same(await queues(), {});
  counts = { deadLetters: 0 };
  t.same(await queues(), { vaultferry_dead_letters: 0 });
  counts = { messages: { visible: 5, in_flight: 2, delayed: 1 }, deadLetters: 3 };
  t.same(await queues(), known);
});

t.test('the reason of a sweep is of a closed set, whatever its request says', async (t) => {
  const table = {
    timer: 'timer',
    operator: 'operator',
    gap: 'gap',
    start: 'start',
    kv_version_unknown: 'kv_version_unknown',
    'connection,start': 'several',
    'because the boss said so': 'other',
    'start,because': 'other',
    '': 'other',
  };
  for (const [text, reason] of Object.entries(table)) {
    const metrics = createMetrics();
    metrics.swept(text, 'complete', 1);
    t.match(await samples(metrics), { [`vaultferry_sweeps_total{reason="${reason}",result="complete"}`]: 1 }, text);
  }
});
