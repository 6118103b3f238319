import { type Diagnosis, GROUPS, type Group, type State } from '../doctor/finding.ts';
import { count, printable, printableJson } from './table.ts';

const STATES: Readonly<Record<State, { readonly word: string; readonly colour: number }>> = {
  ok: { word: 'ok', colour: 32 },
  warning: { word: 'warning', colour: 33 },
  failure: { word: 'failure', colour: 31 },
  not_checked: { word: 'not checked', colour: 2 },
};

const TITLES: Readonly<Record<Group, string>> = {
  vault: 'Vault',
  audit: 'Audit devices',
  queue: 'Queues',
  aws: 'AWS',
  clock: 'Clocks',
  names: 'Names',
};

/** One JSON object; every key is always there, `mend` null where there is nothing to mend. */
export function doctorJson(findings: readonly Diagnosis[]): string {
  const checks = findings.map(({ group, check, state, found, mend = null }) => ({ group, check, state, found, mend }));
  const { ok, warning, failure, not_checked: notChecked } = tally(findings);
  return `${printableJson({ checks, summary: { ok, warnings: warning, failures: failure, notChecked } })}\n`;
}

/** A block for each group: a line for each finding, and below it how to mend what is wrong. */
export function doctorText(findings: readonly Diagnosis[], coloured: boolean): string {
  const width = Math.max(0, ...findings.map(({ check }) => Array.from(printable(check)).length));
  const blocks = GROUPS.flatMap((group) => {
    const lines = findings.filter((one) => one.group === group).flatMap((one) => finding(one, width, coloured));
    return lines.length === 0 ? [] : [[bold(TITLES[group], coloured), ...lines, ''].join('\n')];
  });
  return `${[...blocks, sum(findings)].join('\n')}\n`;
}

/** The longest word, `not checked`. */
const STATE_WIDTH = 11;

function finding({ check, state, found, mend }: Diagnosis, width: number, coloured: boolean): string[] {
  const { word, colour } = STATES[state];
  const title = printable(check);
  const padding = ' '.repeat(width - Array.from(title).length);
  const line = `  ${paint(word.padEnd(STATE_WIDTH), colour, coloured)}  ${title}${padding}  ${printable(found)}`;
  if (mend === undefined) return [line];
  return [line, `  ${' '.repeat(STATE_WIDTH)}  ${' '.repeat(width)}  -> ${printable(mend)}`];
}

function sum(findings: readonly Diagnosis[]): string {
  const { ok, warning, failure, not_checked: notChecked } = tally(findings);
  return [`${ok} ok`, count(warning, 'warning'), count(failure, 'failure'), `${notChecked} not checked`].join(', ');
}

const tally = (findings: readonly Diagnosis[]): Record<State, number> => {
  const counts = { ok: 0, warning: 0, failure: 0, not_checked: 0 };
  for (const { state } of findings) counts[state] += 1;
  return counts;
};

const bold = (text: string, coloured: boolean): string => paint(text, 1, coloured);

const paint = (text: string, code: number, coloured: boolean): string =>
  coloured ? `\u001b[${code}m${text}\u001b[0m` : text;
