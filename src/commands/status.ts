import pMap from 'p-map';
import type { Clock } from '../clock.ts';
import { toReplicationError } from '../errors.ts';
import type { Look } from '../replicate/decide.ts';
import type { Order } from '../replicate/look-at.ts';
import { checkName } from '../replicate/name.ts';
import { checkNotOwn } from '../replicate/own-secret.ts';
import { formatRef, type SecretRef } from '../replicate/ref.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import type { Source } from '../replicate/source.ts';
import { type Standing, standing } from '../replicate/standing.ts';
import type { Tags } from '../replicate/tags.ts';
import type { Meter } from './meter.ts';
import type { View } from './plan-print.ts';
import { inOrder, isInSync, type Row, statusJson, statusText, type Unread } from './status-print.ts';
import { refsToLookAt } from './status-refs.ts';
import { printable } from './table.ts';

/** Secrets that are looked at side by side. */
const SIDE_BY_SIDE = 8;

/** One destination, and Vault behind it. */
export interface BothEnds {
  readonly look: (order: Order) => Promise<Look>;
  /** The copies of this vault. */
  readonly copies: () => AsyncIterable<{ readonly tags: Tags; readonly description: string }>;
}

export interface StatusCommand {
  /** As people write them; none means all that are routed. */
  readonly refs: readonly string[];
  readonly routes: Routes;
  readonly source: Pick<Source, 'list'>;
  /** By the destination's name. */
  readonly ends: ReadonlyMap<string, BothEnds>;
  readonly clock: Pick<Clock, 'now'>;
  readonly meter: Meter;
  readonly view: Omit<View, 'now'>;
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * `vaultferry status [REF…]`: is each copy what Vault says? Writes to neither end. Returns the exit code: 0 all are in
 * sync; 3 some are not; 1 a REF is unrouted or at neither end, or an end could not be read.
 */
export async function statusCommand(command: StatusCommand): Promise<number> {
  const { json, view, clock, write, writeError } = command;
  const problems: string[] = [];
  const rows = inOrder(await rowsOf(command, (text) => problems.push(text)));
  write(json ? statusJson(rows, problems) : statusText(rows, problems, { ...view, now: clock.now() }));
  for (const text of problems) writeError(`${printable(text)}\n`);
  if (problems.length > 0 || rows.some(({ standing: { state } }) => state === 'unknown')) return 1;
  return rows.every(isInSync) ? 0 : 3;
}

/** All are listed before the first look, so that it is known how many there are. */
async function rowsOf(
  { refs, routes, source, ends, meter }: StatusCommand,
  onProblem: (text: string) => void,
): Promise<Row[]> {
  const copies = new Map([...ends].map(([name, end]) => [name, end.copies]));
  const wanted: SecretRef[] = [];
  try {
    for await (const ref of refsToLookAt({ refs, routes, source, copies, onProblem })) {
      wanted.push(ref);
      meter.listed(1);
    }
    const lookAt = async (ref: SecretRef) => {
      const found = await Promise.all(routes.targets(ref).map((target) => rowOf(ends, ref, target)));
      if (refs.length > 0 && found.every(isNowhere)) onProblem(`${formatRef(ref)}: neither end has it`);
      meter.compared();
      return found;
    };
    return (await pMap(wanted, lookAt, { concurrency: SIDE_BY_SIDE })).flat();
  } finally {
    meter.end();
  }
}

const isNowhere = ({ standing: { state } }: Row): boolean => state === 'absent';

async function rowOf(ends: StatusCommand['ends'], ref: SecretRef, target: Target): Promise<Row> {
  return { ref, target, standing: await standingOf(ends.get(target.destination), ref, target) };
}

async function standingOf(end: BothEnds | undefined, ref: SecretRef, target: Target): Promise<Standing | Unread> {
  const { route, secretName } = target;
  try {
    checkName(secretName, ref);
    checkNotOwn(target, ref);
    const look = await end?.look({ ref, route, secretName, hint: undefined });
    return look === undefined ? NO_END : standing(look);
  } catch (error) {
    const { code, message } = toReplicationError(error);
    if (code === 'name_invalid') return { state: 'refused', inSync: false, code, why: message };
    return { state: 'unknown', code, why: message };
  }
}

const NO_END: Unread = { state: 'unknown', code: 'internal', why: 'the destination was not opened: please report it' };
