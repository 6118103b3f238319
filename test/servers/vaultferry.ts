import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baseEnv, type Exit, folderFor, startChild } from './child.ts';
import type { LogFile } from './log-file.ts';
import { projectRoot } from './root.ts';
import { until } from './until.ts';

/** One line of VaultFerry's log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface VaultFerryOptions {
  /** YAML text with at least one line end, which is how VaultFerry tells it from a path. */
  readonly config: string;
  /** Added to PATH and HOME; nothing else of this program's environment is passed on. */
  readonly env: NodeJS.ProcessEnv;
  /** What follows `serve`. */
  readonly args?: readonly string[];
  /** Where stdout and stderr go; a temporary folder, gone with this program, unless told. */
  readonly dir?: string;
  /** Names the log files, where several share a folder. */
  readonly name?: string;
  /** The program; the development build's unless told. */
  readonly cli?: string;
  /** Errors name lines of the sources, which costs memory; on unless told. */
  readonly sourceMaps?: boolean;
}

export interface VaultFerry {
  readonly pid: number;
  /** The `ready` line, with the real ports. */
  readonly ready: LogLine;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** All whole log lines so far; lines that are no JSON object are left out. */
  logs(): readonly LogLine[];
  /** The first log line, past or to come, that `predicate` accepts. Milliseconds; 30 s unless told. */
  waitForLog(predicate: (line: LogLine) => boolean, deadline?: number): Promise<LogLine>;
  /** SIGTERM; SIGKILL where the promised 20 s and 5 more have passed. */
  stop(): Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  exited(): Promise<Exit>;
}

const builtCli = (): string => join(projectRoot(), 'build/src/cli.js');
const isReady = ({ event }: LogLine): boolean => event === 'ready';

/** Runs the compiled `vaultferry serve` until it says that everything listens. */
export async function startVaultFerry(options: VaultFerryOptions): Promise<VaultFerry> {
  const { config, env, args = [], dir, name = 'vaultferry', cli = builtCli(), sourceMaps = true } = options;
  if (!existsSync(cli)) throw new Error(`${cli} is missing: run npm run build:dev first.`);
  const folder = await folderFor(name, dir);
  const child = await startChild({
    name,
    command: process.execPath,
    args: [...(sourceMaps ? ['--enable-source-maps'] : []), cli, 'serve', ...args],
    env: { ...baseEnv(), ...env, VAULTFERRY_CONFIG: config },
    folder,
    ready: ({ stderr }) => jsonLines(stderr)().some(isReady),
  });
  const { pid, stdoutPath, stderrPath, exited, kill } = child;
  const logs = jsonLines(child.stderr);
  const waitForLog = (predicate: (line: LogLine) => boolean, deadline = 30_000): Promise<LogLine> =>
    until(() => logs().find(predicate), { what: `a log line of ${name}`, deadline });
  const ready = await waitForLog(isReady);
  return { pid, ready, stdoutPath, stderrPath, logs, waitForLog, exited, kill, stop: () => child.stop(25_000) };
}

/** The JSON objects among a log's lines, each line parsed once. */
function jsonLines(log: LogFile): () => readonly LogLine[] {
  const parsed: LogLine[] = [];
  let seen = 0;
  return () => {
    const lines = log.lines();
    for (; seen < lines.length; seen += 1) {
      const line = parseLine(lines[seen] ?? '');
      if (line !== undefined) parsed.push(line);
    }
    return parsed;
  };
}

function parseLine(text: string): LogLine | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
