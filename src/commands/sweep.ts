import { needsLook } from '../sweep/drift.ts';
import { createFindings, type FindingsOptions } from '../sweep/findings.ts';
import { crowdedText, type Meter } from './meter.ts';
import { exitCode, gather, type PlanCommand } from './plan.ts';
import { planJson } from './plan-json.ts';
import { planText } from './plan-print.ts';
import type { Judged } from './plan-rows.ts';
import { grouped, printableJson } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface SweepCommand extends PlanCommand, FindingsOptions {
  readonly clock: FindingsOptions['clock'];
}

/** What of the command line the sweep's ways depend on. */
interface SweepLine {
  readonly operands: readonly string[];
  readonly all: boolean;
  readonly deep: boolean;
  readonly dryRun: boolean;
  readonly approveDeletes: boolean;
  readonly yes: boolean;
}

/** Throws a UsageError where options exclude each other, or where nobody can be asked. */
export function checkSweepLine({ operands, yes, ...line }: SweepLine, asks: boolean): void {
  const { all, deep, dryRun, approveDeletes } = line;
  if (operands.length > 0) throw new UsageError(`sweep takes no operand, but got "${operands[0]}"`);
  if (approveDeletes && (dryRun || deep || all)) throw new UsageError('--approve-deletes takes --yes and --json alone');
  if (yes && !approveDeletes) throw new UsageError('--yes answers the question of --approve-deletes alone');
  if (!approveDeletes || yes || asks) return;
  throw new UsageError('sweep --approve-deletes asks before it acts, and here is no terminal to ask on: add --yes');
}

/** Where there is no terminal, and so no meter, a queue that stays crowded is told once, past so many seconds. */
const CROWDED_FOR = 10;

/**
 * `vaultferry sweep`: compares all, and puts on the queue what a look may end; never deletes. Returns the exit code as
 * `plan` does. Throws when SQS fails.
 */
export async function sweepCommand(command: SweepCommand): Promise<number> {
  const { deep, json, view, clock, meter, signal, write, writeError } = command;
  const onCrowded = tellCrowded(meter, writeError);
  const findings = createFindings({ ...command, onCrowded }, signal);
  const onJudged = async ({ finding }: Judged) => {
    if (finding.target !== undefined && needsLook(finding)) await findings.add(finding.ref, finding.target);
  };
  const plan = await gather(command, deep ? 'values' : 'listings', onJudged);
  const enqueued = await findings.end().finally(meter.end);
  if (json) write(`${printableJson({ ...planJson(plan), enqueued })}\n`);
  else write(`${planText(plan, { ...view, now: clock.now() })}${queued(enqueued)}\n`);
  return exitCode(plan);
}

function tellCrowded(meter: Meter, writeError: (text: string) => void): (visible: number) => void {
  let told = 0;
  return (visible) => {
    told += 1;
    if (told === CROWDED_FOR) {
      meter.end();
      writeError(`${crowdedText(visible)}\n`);
    }
    meter.crowded(visible);
  };
}

const queued = (messages: number): string =>
  messages === 0
    ? 'nothing was put on the queue'
    : `${grouped(messages)} put on the queue, each for a look by a worker`;
