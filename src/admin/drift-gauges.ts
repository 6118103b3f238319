import { Gauge, type Registry } from 'prom-client';
import type { Kind } from '../sweep/drift.ts';
import { isDrift, type SweepReport } from '../sweep/report.ts';

/** What the last sweep that this process finished has found; afterwards, and in processes that ran none, nothing. */
export function createDriftGauges(registers: Registry[], now: () => number = () => performance.now()) {
  let last: { readonly report: SweepReport; readonly at: number } | undefined;
  let lasts = Number.POSITIVE_INFINITY;
  const current = () => (last !== undefined && now() - last.at <= lasts ? last.report : undefined);

  const drift: Gauge<'destination' | 'kind'> = new Gauge({
    name: 'vaultferry_drift_secrets',
    help: 'Copies that differed when this process last finished a sweep, by kind.',
    labelNames: ['destination', 'kind'],
    registers,
    collect() {
      drift.reset();
      const report = current();
      for (const [destination, counts] of Object.entries(report?.found ?? {})) {
        for (const [kind, count] of Object.entries(counts)) {
          if (isDrift(kind as Kind)) drift.set({ destination, kind }, count);
        }
      }
      for (const [destination, count] of Object.entries(report?.held ?? {})) {
        drift.set({ destination, kind: 'deletion_held' }, count);
      }
    },
  });
  const oldest: Gauge = new Gauge({
    name: 'vaultferry_oldest_drift_seconds',
    help: 'How old the oldest difference was when this process last finished a sweep.',
    registers,
    collect() {
      const report = current();
      if (report === undefined) oldest.remove();
      else oldest.set(report.oldestDrift);
    },
  });
  return {
    tell(report: SweepReport): void {
      last = { report, at: now() };
    },
    /** `ms`: after so long, what was found is no news any more. */
    keepFor(ms: number): void {
      lasts = ms;
    },
  };
}
