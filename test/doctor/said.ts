import type { Finding } from '../../src/doctor/finding.ts';

/** `state check` of each finding, in their order: what a table compares. */
export const states = (findings: readonly Finding[]): string[] =>
  findings.map(({ state, check }) => `${state} ${check}`);

/** All that is said, for a search. */
export const said = (findings: readonly Finding[]): string =>
  findings.map(({ found, mend = '' }) => `${found} -> ${mend}`).join('\n');
