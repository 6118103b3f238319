import type { KeyDiff } from '../replicate/key-diff.ts';
import type { Gap } from './compare-ends.ts';
import { type Action, isOpen, type PlanRow } from './plan-rows.ts';
import type { Summary } from './plan-summary.ts';
import { age, cutMiddle, fittedTable, grouped, paint, printable, wrapped } from './table.ts';

/** What was found, as it is printed. */
export interface Printed {
  readonly rows: readonly PlanRow[];
  readonly summary: Summary;
  readonly gaps: readonly Gap[];
}

/** How it is shown. */
export interface View {
  readonly coloured: boolean;
  /** The terminal's width; undefined where it is none, and nothing is cut. */
  readonly columns?: number | undefined;
  /** Ms since the epoch. */
  readonly now: number;
}

/** The actions in the order in which they are shown, with their words and colours (SGR codes). */
const SHOWN: Readonly<Record<Action, { readonly word: string; readonly sum: string; readonly colour: number }>> = {
  create: { word: 'create', sum: 'to create', colour: 32 },
  update: { word: 'update', sum: 'to update', colour: 33 },
  restore: { word: 'restore', sum: 'to restore', colour: 36 },
  mark: { word: 'mark', sum: 'to mark as absent', colour: 36 },
  unmark: { word: 'unmark', sum: 'to unmark', colour: 36 },
  retag: { word: 'retag', sum: 'to retag', colour: 36 },
  delete: { word: 'delete', sum: 'to delete', colour: 31 },
  held: { word: 'held', sum: 'held: vaultferry sweep --approve-deletes', colour: 31 },
  stay: { word: 'stay', sum: 'to stay for their replicas', colour: 33 },
  wait: { word: 'wait', sum: 'to wait for Vault', colour: 33 },
  differs: { word: 'differs', sum: 'with another value', colour: 35 },
  adopt: { word: 'adopt', sum: 'to adopt', colour: 35 },
  conflict: { word: 'conflict', sum: 'in conflict', colour: 35 },
  refuse: { word: 'refuse', sum: 'refused', colour: 35 },
  orphan: { word: 'orphan', sum: 'without a route', colour: 35 },
  unknown: { word: 'unknown', sum: 'unknown', colour: 35 },
  released: { word: 'released', sum: 'let go', colour: 2 },
  in_sync: { word: 'in sync', sum: 'in sync', colour: 2 },
};
const ORDER = Object.keys(SHOWN);

/** By ref, destination and name, in the order of code units: the same at every run. */
export const inOrder = (rows: readonly PlanRow[]): readonly PlanRow[] =>
  rows
    .map((row) => ({ row, key: [row.ref, row.destination, row.secretName].join('\0') }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);

const HEAD = ['ACTION', 'SECRET', 'DESTINATION', 'VAULT', 'COPY', 'SINCE'];
/** What is left of a ref on the narrowest terminal, and of a destination's name on any, in code points. */
const LEAST_REF = 24;
const MOST_DESTINATION = 24;

/** A table, each row with what there is to say of it below, action by action; then the sums, the copies and their cost. */
export function planText({ rows, summary, gaps }: Printed, view: View): string {
  const blocks = [tableOf(rows, view), gaps.map(gapLine), sums(summary, rows), costLines(summary)];
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

export const gapLine = ({ what, why, code }: Gap): string => `not compared: ${printable(`${what}: ${why}`)} (${code})`;

function tableOf(unordered: readonly PlanRow[], view: View): string[] {
  if (unordered.length === 0) return [];
  const rows = inOrder(unordered).toSorted((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action));
  const cells = [HEAD, ...rows.map((row) => cellsOf(row, view.now))];
  const [head = '', ...lines] = fittedTable(cells, { column: 1, least: LEAST_REF }, view.columns, [3, 4]);
  return [paint(head, 1, view.coloured), ...rows.flatMap((row, index) => block(row, lines[index] ?? '', view))];
}

const ACTION_WIDTH = Math.max(...Object.values(SHOWN).map(({ word }) => word.length));

function cellsOf({ action, ref, secretName, destination, ...row }: PlanRow, now: number): string[] {
  const versions = [row.vaultVersion, row.replicatedVersion].map((one) => (one === undefined ? '-' : `v${one}`));
  const since = row.deletion === undefined ? row.since : Date.parse(row.deletion.absentSince);
  const what = action === 'orphan' || ref === '' ? secretName : ref;
  const ago = since === undefined || Number.isNaN(since) ? '-' : age(now - since);
  return [
    SHOWN[action].word.padEnd(ACTION_WIDTH),
    printable(what),
    cutMiddle(destination, MOST_DESTINATION),
    ...versions,
    ago,
  ];
}

function block(row: PlanRow, line: string, { coloured, columns }: View): string[] {
  const { word, colour } = SHOWN[row.action];
  const room = columns === undefined ? undefined : columns - ACTION_WIDTH - 2;
  const remarked = remarks(row).flatMap((text) => wrapped(text, room));
  const below = remarked.map((text) => `${' '.repeat(ACTION_WIDTH + 2)}${paint(text, 2, coloured)}`);
  return [`${paint(word, colour, coloured)}${line.slice(word.length)}`, ...below];
}

/** A name that says no more than the ref, and a reason that says no more than the action, are left out. */
function remarks(row: PlanRow): string[] {
  const { action, state, why, code, keys, notCompared } = row;
  const tellsMore =
    code !== undefined || action === 'differs' || action === 'stay' || (action === 'update' && state !== 'stale');
  return [
    ...(why !== undefined && tellsMore ? [`${printable(why)}${code === undefined ? '' : ` (${code})`}`] : []),
    ...(keys === undefined ? [] : [keysText(keys)]),
    ...(notCompared === undefined ? [] : [`not compared: ${printable(notCompared)}`]),
  ];
}

/** Key names that are shown of each kind; --json has them all. */
const MOST_KEYS = 10;

function keysText({ added, removed, changed }: KeyDiff): string {
  const kinds = Object.entries({ added, removed, changed }).filter(([, names]) => names.length > 0);
  if (kinds.length === 0) return 'no key differs: the order or the spelling does';
  return kinds.map(([kind, names]) => `${kind}: ${someOf(names)}`).join('; ');
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_KEYS).map((name) => printable(cutMiddle(name, 64)));
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`${grouped(more)} more`] : [])].join(', ');
}

function sums({ actions }: Summary, rows: readonly PlanRow[]): string[] {
  const totals = new Map<string, number>();
  for (const counts of Object.values(actions)) {
    for (const [action, number] of Object.entries(counts)) totals.set(action, (totals.get(action) ?? 0) + number);
  }
  const parts = Object.entries(SHOWN).flatMap(([action, { sum }]) => {
    const number = totals.get(action) ?? 0;
    return number > 0 && action !== 'unknown' ? [`${grouped(number)} ${sum}`] : [];
  });
  const failed = rows.filter((row) => row.action === 'unknown' && isOpen(row)).length;
  const unseen = (totals.get('unknown') ?? 0) - failed;
  if (failed > 0) parts.push(`${grouped(failed)} unknown`);
  if (unseen > 0) parts.push(`${grouped(unseen)} that only a look can tell`);
  return [parts.length === 0 ? 'no secrets' : parts.join(', ')];
}

function costLines({ copies, monthlyCost: { now, after } }: Summary): string[] {
  const all = Object.entries(copies);
  const created = all.reduce((sum, [, one]) => sum + one.created, 0);
  const would = created === 1 ? '1 secret would be created' : `${grouped(created)} secrets would be created`;
  const lines = [`${would}; ${dollars(now)} a month now, ${dollars(after)} then (${dollars(40)} a copy)`];
  for (const [name, { now: there, after: then, beyondLimit }] of all) {
    const refused = beyondLimit > 0 ? `; ${grouped(beyondLimit)} more than maxSecrets allows, which are refused` : '';
    lines.push(`${name}: ${grouped(there)} ${there === 1 ? 'copy' : 'copies'} now, ${grouped(then)} then${refused}`);
  }
  return lines;
}

const dollars = (cents: number): string =>
  new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }).format(cents / 100);
