import { formatKey, type KeyPath } from './key-path.ts';

/** Something wrong with the configuration: where, and what was expected there. Neither ever holds the value found. */
export interface Finding {
  readonly path: KeyPath;
  readonly text: string;
}

/** A finding as people and scripts see it: `key` is dotted and bracketed, as in `routes[1].mount`; "" is the whole. */
export interface Problem {
  readonly key: string;
  readonly text: string;
}

/** One line for people: the key, then what is wrong. */
export const formatProblem = ({ key, text }: Problem): string => (key === '' ? text : `${key}: ${text}`);

const byKey = (a: Problem, b: Problem): number => {
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
};

/** Findings as sorted problems, each said once. */
export function toProblems(findings: readonly Finding[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { path, text } of findings) {
    const problem = { key: formatKey(path), text };
    problems.set(formatProblem(problem), problem);
  }
  return [...problems.values()].sort(byKey);
}

/** The configuration cannot be used; `problems` lists everything that is wrong with it, sorted by key. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(findings: readonly Finding[]) {
    const problems = toProblems(findings);
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}
