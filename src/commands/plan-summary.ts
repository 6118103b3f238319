import type { Action } from './plan-rows.ts';

/** What a secret costs a month, in US cents (AWS Secrets Manager pricing). */
const CENTS_PER_COPY = 40;

export type ActionCounts = Partial<Record<Action, number>>;

/** A destination's copies, those that are scheduled for deletion left out. */
export interface CopyCounts {
  readonly now: number;
  /** Once all is done that the plan says. */
  readonly after: number;
  readonly created: number;
  /** What would be created, if `maxSecrets` allowed it. */
  readonly beyondLimit: number;
}

export interface Summary {
  /** By the destination's name. */
  readonly actions: Readonly<Record<string, ActionCounts>>;
  readonly copies: Readonly<Record<string, CopyCounts>>;
  /** In US cents. */
  readonly monthlyCost: { readonly now: number; readonly after: number };
}

/** Counts the rows' actions as they come. */
export function createActionTally() {
  const all = new Map<string, Map<Action, number>>();
  return {
    add({ destination, action }: { readonly destination: string; readonly action: Action }): void {
      const counts = all.get(destination) ?? new Map<Action, number>();
      all.set(destination, counts.set(action, (counts.get(action) ?? 0) + 1));
    },
    /** `copies` and `limits` (`maxSecrets`) are by the destination's name. */
    summary(copies: ReadonlyMap<string, number>, limits: ReadonlyMap<string, number>): Summary {
      const actions: Record<string, ActionCounts> = Object.fromEntries(
        [...all].map(([name, counts]) => [name, Object.fromEntries(counts)]),
      );
      const counted = Object.fromEntries(
        [...copies].map(([name, now]) => [name, copyCounts(now, actions[name] ?? {}, limits.get(name) ?? 0)]),
      );
      return { actions, copies: counted, monthlyCost: costs(Object.values(counted)) };
    },
  };
}

function copyCounts(now: number, actions: ActionCounts, limit: number): CopyCounts {
  const wanted = actions.create ?? 0;
  const created = Math.min(wanted, Math.max(0, limit - now));
  const after = now + created + (actions.restore ?? 0) - (actions.delete ?? 0);
  return { now, after, created, beyondLimit: wanted - created };
}

const costs = (copies: readonly CopyCounts[]): Summary['monthlyCost'] => ({
  now: copies.reduce((sum, { now }) => sum + now * CENTS_PER_COPY, 0),
  after: copies.reduce((sum, { after }) => sum + after * CENTS_PER_COPY, 0),
});
