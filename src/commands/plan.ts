import { STAYS } from '../sweep/guard.ts';
import { type Compared, type CompareEnds, compareEnds } from './compare-ends.ts';
import type { Depth } from './judge.ts';
import { planJson } from './plan-json.ts';
import { type Printed, planText, type View } from './plan-print.ts';
import { dueRow, isOpen, type Judged, type PlanRow, rowOf } from './plan-rows.ts';
import { createActionTally } from './plan-summary.ts';
import { printableJson } from './table.ts';

export interface PlanCommand extends CompareEnds {
  readonly deep: boolean;
  /** Tells also what is in sync. */
  readonly all: boolean;
  readonly json: boolean;
  readonly view: Omit<View, 'now'>;
  readonly signal: AbortSignal;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * `vaultferry plan`: what a sweep would do; writes nothing. Returns the exit code: 0 all is in sync; 3 something is not,
 * or could not be compared; 1 nothing could be.
 */
export async function planCommand(command: PlanCommand): Promise<number> {
  const { deep, json, view, clock, write } = command;
  const plan = await gather(command, deep ? 'values' : 'differences');
  write(json ? `${printableJson(planJson(plan))}\n` : planText(plan, { ...view, now: clock.now() }));
  return exitCode(plan);
}

export type Gathered = Printed & Pick<Compared, 'nothing'>;

/** Compares all, and keeps what is to be told. `onJudged` gets every finding but the due deletions. */
export async function gather(
  command: Omit<PlanCommand, 'deep' | 'json' | 'view' | 'write' | 'writeError'>,
  depth: Depth,
  onJudged: (judged: Judged) => void | Promise<void> = () => undefined,
): Promise<Gathered> {
  const { ends, all, meter, signal } = command;
  const rows: PlanRow[] = [];
  const tally = createActionTally();
  const add = (row: PlanRow) => {
    tally.add(row);
    if (all || isOpen(row)) rows.push(row);
  };
  try {
    const take = async (judged: Judged) => {
      add(rowOf(judged));
      await onJudged(judged);
    };
    const { go, held, staying, copies, gaps, nothing } = await compareEnds(command, depth, take, signal);
    for (const due of go) add(dueRow(due, 'delete'));
    for (const due of held) add(dueRow(due, 'held'));
    for (const due of staying) add({ ...dueRow(due, 'stay'), why: STAYS });
    const limits = new Map([...ends].map(([name, { maxSecrets }]) => [name, maxSecrets]));
    return { rows, gaps, nothing, summary: tally.summary(copies, limits) };
  } finally {
    meter.end();
  }
}

export function exitCode({ rows, gaps, nothing }: Gathered): number {
  if (nothing) return 1;
  return gaps.length > 0 || rows.some(isOpen) ? 3 : 0;
}
