import { Registry } from 'prom-client';
import t from 'tap';
import { createDriftGauges } from '../../src/admin/drift-gauges.ts';
import type { SweepReport } from '../../src/sweep/report.ts';

const NOTHING: SweepReport = {
  found: {},
  permanent: {},
  enqueued: 0,
  deleted: 0,
  held: {},
  oldestDrift: 0,
  failed: [],
  again: false,
  down: [],
};

/** Gauges on a clock that stands until it is told. */
function world() {
  const registry = new Registry();
  let now = 1_000;
  const gauges = createDriftGauges([registry], () => now);
  return {
    ...gauges,
    pass: (ms: number) => {
      now += ms;
    },
    samples: async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('vaultferry_')),
  };
}

t.test('a process that has swept nothing says nothing', async (t) => {
  t.strictSame(await world().samples(), []);
});

t.test('what differs is told by destination and kind, and what is in sync or unknown is not', async (t) => {
  const { tell, samples } = world();
  const near = { in_sync: 9_000, stale: 2, missing: 3, absent_marked: 4, absent: 1, unknown: 7, orphan: 5 };
  tell({ ...NOTHING, found: { near, far: { conflict: 1, in_sync: 8_999 } }, held: { near: 12 }, oldestDrift: 320 });
  t.strictSame(await samples(), [
    'vaultferry_drift_secrets{destination="near",kind="stale"} 2',
    'vaultferry_drift_secrets{destination="near",kind="missing"} 3',
    'vaultferry_drift_secrets{destination="near",kind="orphan"} 5',
    'vaultferry_drift_secrets{destination="far",kind="conflict"} 1',
    'vaultferry_drift_secrets{destination="near",kind="deletion_held"} 12',
    'vaultferry_oldest_drift_seconds 320',
  ]);
});

t.test('the next sweep takes the place of the last, kinds that are gone included', async (t) => {
  const { tell, samples } = world();
  tell({ ...NOTHING, found: { near: { stale: 2 } }, held: { near: 1 }, oldestDrift: 5 });
  tell({ ...NOTHING, found: { near: { in_sync: 2 } } });
  t.strictSame(await samples(), ['vaultferry_oldest_drift_seconds 0']);
});

t.test('what was found is told for so long, then it is no news, until the next sweep', async (t) => {
  const { tell, keepFor, pass, samples } = world();
  tell({ ...NOTHING, found: { near: { stale: 2 } }, oldestDrift: 5 });
  pass(1e9);
  t.equal((await samples()).length, 2, 'for ever, unless told');
  keepFor(60_000);
  t.strictSame(await samples(), []);
  tell({ ...NOTHING, found: { near: { stale: 1 } }, oldestDrift: 6 });
  pass(60_000);
  t.strictSame(await samples(), [
    'vaultferry_drift_secrets{destination="near",kind="stale"} 1',
    'vaultferry_oldest_drift_seconds 6',
  ]);
  pass(1);
  t.strictSame(await samples(), []);
});

t.test('without a clock of its own it goes by the machine', async (t) => {
  const registry = new Registry();
  createDriftGauges([registry]).tell({ ...NOTHING, oldestDrift: 3 });
  t.match(await registry.metrics(), 'vaultferry_oldest_drift_seconds 3\n');
});
