/** The parts of the chain, in the order in which they are shown. */
export const GROUPS = ['vault', 'audit', 'queue', 'aws', 'clock', 'names'] as const;
export type Group = (typeof GROUPS)[number];

/** `not_checked`: nothing is known to be wrong, and nothing proves that it is right. */
export type State = 'ok' | 'warning' | 'failure' | 'not_checked';

/** What one check has found. No text ever holds a token or a value. */
export interface Finding {
  /** What was looked at, in a word or a few. */
  readonly check: string;
  readonly state: State;
  /** What was found, a sentence without its full stop. */
  readonly found: string;
  /** The command, policy line or setting that mends it. */
  readonly mend?: string;
}

export interface Diagnosis extends Finding {
  readonly group: Group;
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found });

export const warning = (check: string, found: string, mend: string): Finding => ({
  check,
  state: 'warning',
  found,
  mend,
});

export const failure = (check: string, found: string, mend: string): Finding => ({
  check,
  state: 'failure',
  found,
  mend,
});

export const notChecked = (check: string, found: string, mend?: string): Finding => ({
  check,
  state: 'not_checked',
  found,
  ...(mend !== undefined && { mend }),
});
