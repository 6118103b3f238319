import type { FailureCode } from '../errors.ts';
import { formatRef, type SecretRef } from '../replicate/ref.ts';
import type { Target } from '../replicate/routes.ts';
import type { Standing } from '../replicate/standing.ts';
import type { View } from './plan-print.ts';
import { age, count, cutMiddle, fittedTable, paint, printable, printableJson, wrapped } from './table.ts';

/** One copy: how it stands, or why that cannot be said. */
export interface Row {
  readonly ref: SecretRef;
  readonly target: Pick<Target, 'destination' | 'secretName'>;
  readonly standing: Standing | Unread;
}

/** An end did not say what there is. */
export interface Unread {
  readonly state: 'unknown';
  readonly code: FailureCode;
  readonly why: string;
}

export const isInSync = ({ standing }: Row): boolean => standing.state !== 'unknown' && standing.inSync;

/** By ref and destination, in the order of code units: the same at every run. */
export const inOrder = (rows: readonly Row[]): readonly Row[] =>
  rows
    .map((row) => ({ row, key: `${formatRef(row.ref)}\0${row.target.destination}` }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);

/** One JSON object; every key is always there, null where there is nothing to say. */
export function statusJson(rows: readonly Row[], problems: readonly string[]): string {
  const secrets = rows.map(({ ref, target, standing }) => {
    const { vaultVersion, replicatedVersion, since, code, why } = { ...NOTHING, ...standing };
    const about = { ref: formatRef(ref), destination: target.destination, secretName: target.secretName };
    const inSync = standing.state === 'unknown' ? null : standing.inSync;
    return { ...about, inSync, state: standing.state, vaultVersion, replicatedVersion, since, code, why };
  });
  return `${printableJson({ secrets, problems })}\n`;
}

const NOTHING = { vaultVersion: null, replicatedVersion: null, since: null, code: null, why: null };

const HEAD = ['REF', 'DESTINATION', 'STATE', 'VAULT', 'COPY', 'SINCE'];

/** What is left of a ref, and of a destination's name, on a terminal of 80 columns, in code points. */
const LEAST_REF = 16;
const MOST_DESTINATION = 16;

/** A table, then why what is not in sync is not, then the sum. With problems, no rows do not mean that there is nothing. */
export function statusText(rows: readonly Row[], problems: readonly string[], view: View): string {
  if (rows.length === 0) return problems.length === 0 ? 'no secrets\n' : '';
  const reasons = rows.flatMap((row) => (isInSync(row) ? [] : reasonOf(row, view)));
  return [...tableOf(rows, view), ...(reasons.length > 0 ? ['', ...reasons] : []), '', sumOf(rows), ''].join('\n');
}

function tableOf(rows: readonly Row[], view: View): string[] {
  const cells = [HEAD, ...rows.map((row) => cellsOf(row, view))];
  const [head = '', ...lines] = fittedTable(cells, { column: 0, least: LEAST_REF }, view.columns, [3, 4]);
  return [
    paint(head, 1, view.coloured),
    ...lines.map((line, index) => paint(line, colourOf(rows[index]), view.coloured)),
  ];
}

/** In sync and let go: dim; what a look mends: yellow; what needs a person, or is not known: magenta. */
function colourOf(row: Row | undefined): number {
  if (row === undefined || isInSync(row)) return 2;
  return NEEDS_A_PERSON.includes(row.standing.state) ? 35 : 33;
}

const NEEDS_A_PERSON: readonly string[] = ['conflict', 'refused', 'unknown'];

/** On a terminal, the ref is cut as in the table, and the reason broken between words. */
function reasonOf({ ref, target, standing }: Row, { columns }: View): string[] {
  const { why, code } = { ...NOTHING, ...standing };
  const name = printable(formatRef(ref));
  const title = `${columns === undefined ? name : cutMiddle(name, columns >> 1)} -> ${target.destination}`;
  const [first = '', ...rest] = wrapped(
    `${title}: ${printable(why ?? standing.state)}${code ? ` (${code})` : ''}`,
    columns === undefined ? undefined : columns - 2,
  );
  return [first, ...rest.map((line) => `  ${line}`)];
}

function sumOf(rows: readonly Row[]): string {
  const number = (isOne: (row: Row) => boolean) => rows.filter(isOne).length;
  const released = number(({ standing }) => standing.state === 'released');
  const inSync = number(isInSync) - released;
  const unread = number(({ standing }) => standing.state === 'unknown');
  const drift = rows.length - inSync - released - unread;
  const sum = [`${inSync} of ${count(rows.length, 'secret')} in sync`];
  if (drift > 0) sum.push(`${drift} not`);
  if (released > 0) sum.push(`${released} let go`);
  if (unread > 0) sum.push(`${unread} unknown`);
  return sum.join(', ');
}

function cellsOf({ ref, target: { destination }, standing }: Row, view: View): string[] {
  const { vaultVersion, replicatedVersion, since } = { ...NOTHING, ...standing };
  const state = standing.state.replaceAll('_', ' ');
  const versions = [vaultVersion, replicatedVersion].map((version) => (version === null ? '-' : `v${version}`));
  const to = view.columns === undefined ? destination : cutMiddle(destination, MOST_DESTINATION);
  return [printable(formatRef(ref)), to, state, ...versions, since === null ? '-' : moment(since, view)];
}

/** The time itself, or how long ago it was, for which a terminal has room. */
const moment = (since: string, { columns, now }: View): string =>
  columns === undefined ? since.slice(0, 19).concat('Z') : age(now - Date.parse(since));
