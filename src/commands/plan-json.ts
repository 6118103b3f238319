import { inOrder, type Printed } from './plan-print.ts';
import type { PlanRow } from './plan-rows.ts';

/** What `--json` gives: documented in the command's help, and stable. Every key is always there, null where there is nothing. */
export function planJson({ rows, summary, gaps }: Printed) {
  const { actions, copies, monthlyCost } = summary;
  return {
    secrets: inOrder(rows).map(secretJson),
    actions,
    copies: Object.fromEntries(
      Object.entries(copies).map(([name, { now, after, beyondLimit }]) => [name, { now, after, beyondLimit }]),
    ),
    monthlyCost: { now: monthlyCost.now / 100, after: monthlyCost.after / 100, currency: 'USD' },
    gaps,
  };
}

function secretJson({ ref, since, ...row }: PlanRow) {
  const { destination, secretName, action, state } = row;
  const { vaultVersion, replicatedVersion, code, why, keys, notCompared, deletion } = { ...NOTHING, ...row };
  return {
    ...{ ref: ref === '' ? null : ref, destination, secretName, action, state, vaultVersion, replicatedVersion },
    since: since === undefined ? null : new Date(since).toISOString(),
    ...{ code, why, keys, notCompared, deletion },
  };
}

const NOTHING = {
  ...{ vaultVersion: null, replicatedVersion: null, code: null, why: null, keys: null },
  ...{ notCompared: null, deletion: null },
};
