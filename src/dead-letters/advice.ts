import { FAILURES, type FailureCode } from '../errors.ts';

/** What a letter's code means, and what an operator should do. */
export interface Explanation {
  readonly meaning: string;
  readonly advice: string;
}

/** Letters that no worker wrote. */
const UNWRITTEN = {
  worker_died: {
    meaning: 'SQS moved the message here after 100 receives: its workers died over it, or were never able to finish.',
    advice:
      "Look for crashes in the workers' logs of that time and mend what they died of (memory, say), then redrive.",
  },
  foreign: {
    meaning: "The message is none of VaultFerry's. Its body is not shown, since it may hold anything.",
    advice: 'Find who sends to the queue. VaultFerry never redrives it; drop the letter if nobody needs it.',
  },
} as const satisfies Readonly<Record<string, Explanation>>;

const UNKNOWN: Explanation = {
  meaning: 'The code is not known to this version of VaultFerry.',
  advice: 'Use the version that your workers run.',
};

/** Every code that `dlq list` can show, in the order in which the documentation lists them. */
export const LETTER_CODES: readonly string[] = [...Object.keys(FAILURES), ...Object.keys(UNWRITTEN)];

export function explain(code: string): Explanation {
  if (isFailure(code)) return FAILURES[code];
  return code === 'worker_died' || code === 'foreign' ? UNWRITTEN[code] : UNKNOWN;
}

const isFailure = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);

/** The Markdown table of docs/errors.md; its columns are aligned as the settings table's are. */
export function errorsTable(): string {
  const head = ['Code', 'Treatment', 'Meaning', 'What to do'];
  const rows = LETTER_CODES.map((code) => {
    const { meaning, advice } = explain(code);
    return [`\`${code}\``, isFailure(code) ? FAILURES[code].treatment : 'a letter', meaning, advice];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => String(cells[column]).length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => cells[column]?.padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
