import type { FailureCode } from '../errors.ts';
import { formatRef, type SecretRef } from '../replicate/ref.ts';
import type { Target } from '../replicate/routes.ts';
import type { Standing } from '../replicate/standing.ts';
import { alignedTable, count, printable, printableJson } from './table.ts';

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

/** A table, then why what is not in sync is not, then the sum. With problems, no rows do not mean that there is nothing. */
export function statusText(rows: readonly Row[], problems: readonly string[]): string {
  if (rows.length === 0) return problems.length === 0 ? 'no secrets\n' : '';
  const table = alignedTable([HEAD, ...rows.map(cells)], [3, 4]);
  const reasons = rows.flatMap((row) => {
    const { why, code } = { ...NOTHING, ...row.standing };
    return isInSync(row) ? [] : [`${title(row)}: ${printable(why ?? row.standing.state)}${code ? ` (${code})` : ''}`];
  });
  const inSync = rows.filter(isInSync).length;
  const unread = rows.filter(({ standing }) => standing.state === 'unknown').length;
  const drift = rows.length - inSync - unread;
  const sum = [`${inSync} of ${count(rows.length, 'secret')} in sync`];
  if (drift > 0) sum.push(`${drift} not`);
  if (unread > 0) sum.push(`${unread} unknown`);
  return [...table, ...(reasons.length > 0 ? ['', ...reasons] : []), '', sum.join(', '), ''].join('\n');
}

const title = ({ ref, target }: Row): string => `${printable(formatRef(ref))} -> ${target.destination}`;

function cells({ ref, target, standing }: Row): string[] {
  const { vaultVersion, replicatedVersion, since } = { ...NOTHING, ...standing };
  const state = standing.state.replaceAll('_', ' ');
  const versions = [vaultVersion, replicatedVersion].map((version) => (version === null ? '-' : `v${version}`));
  return [printable(formatRef(ref)), target.destination, state, ...versions, since?.slice(0, 19).concat('Z') ?? '-'];
}
