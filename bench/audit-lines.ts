import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../test/servers/root.ts';

/** The mount of the samples that stands for a routed one; each route of a mix is called otherwise. */
const ROUTED = 'hybrid-aws-secrets';
/** Longer samples of what is not routed are left out, so that a line has 1.1 KB on average. */
const MAX_SAMPLE = 1_300;

/** What lines of interest hold. */
const ASKED_FOR = [ROUTED, 'sys/mounts', 'sys/remount', '\\u'];

export interface Mix {
  /** Shares of all lines. */
  readonly writes: number;
  readonly reads: number;
  readonly requests: number;
  /** The routed mounts, over which writes, reads and request entries are spread. */
  readonly mounts: readonly string[];
}

export interface AuditLines {
  readonly bytes: Buffer;
  readonly lines: number;
}

interface Line {
  readonly type: string;
  readonly request: { id: string; operation: string; path: string };
  readonly response?: object;
  readonly error?: string;
}

/**
 * Lines of a real OpenBao's audit device in the given mix, each write of a secret of its own; all others are of mounts
 * without a route, logins and what else a server is asked.
 */
export function auditLines(count: number, { writes, reads, requests, mounts }: Mix): AuditLines {
  const samples = readFileSync(join(projectRoot(), 'test/fixtures/audit-samples.jsonl'), 'utf8').trimEnd().split('\n');
  const routed = samples.filter((line) => line.includes(`"${ROUTED}/data/`)).map((line) => JSON.parse(line) as Line);
  const kinds = {
    write: routed.filter(({ type, request, error }) => type === 'response' && isWrite(request) && error === undefined),
    read: routed.filter(({ type, request }) => type === 'response' && request.operation === 'read'),
    request: routed.filter(({ type }) => type === 'request'),
  };
  const others = samples.filter((line) => line.length <= MAX_SAMPLE && !ASKED_FOR.some((mark) => line.includes(mark)));
  const lines = Array.from({ length: count }, (_, number) => {
    const share = spread(number);
    const mount = mounts[number % mounts.length] ?? ROUTED;
    if (share < writes) return lineOf(kinds.write, number, mount);
    if (share < writes + reads) return lineOf(kinds.read, number, mount);
    if (share < writes + reads + requests) return lineOf(kinds.request, number, mount);
    return others[number % others.length] ?? '';
  });
  return { bytes: Buffer.from(`${lines.join('\n')}\n`), lines: count };
}

const isWrite = ({ operation }: Line['request']): boolean => ['create', 'update', 'patch'].includes(operation);

/** A number from 0 to 1 for each line, evenly spread however few lines there are. */
const spread = (number: number): number => (number * 0.6180339887498949) % 1;

function lineOf(templates: readonly Line[], number: number, mount: string): string {
  const template = templates[number % templates.length];
  if (template === undefined) throw new Error('the samples hold no such line');
  const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const request = { ...template.request, id, path: `${ROUTED}/data/app/${number}` };
  return JSON.stringify({ ...template, request }).replaceAll(ROUTED, mount);
}
