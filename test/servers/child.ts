import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { followLog, type LogFile } from './log-file.ts';
import { until } from './until.ts';
import { watchOver } from './watchdog.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** What this process wrote; its files may hold an earlier one's lines too. */
  readonly stdout: LogFile;
  readonly stderr: LogFile;
  /** Waits for the process to end; a running child alone does not keep this program alive, this wait does. */
  exited(): Promise<Exit>;
  /** Undefined while the process runs. */
  exit(): Exit | undefined;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `grace` milliseconds (5 s unless told); done when the process has ended. */
  stop(grace?: number): Promise<Exit>;
}

export interface Launch {
  /** Names the log files and the error messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing of this program's own is passed on, AWS and Vault credentials least of all. */
  readonly env: NodeJS.ProcessEnv;
  readonly folder: Folder;
}

/** Where a child keeps its logs and state. A temporary one goes when this program ends. */
export interface Folder {
  readonly path: string;
  readonly temporary: boolean;
}

/** The folder the caller names, or a temporary one. */
export async function folderFor(name: string, path?: string): Promise<Folder> {
  if (path === undefined) return { path: await mkdtemp(join(tmpdir(), `vaultferry-${name}-`)), temporary: true };
  mkdirSync(path, { recursive: true });
  return { path, temporary: false };
}

/** What every child may know of this machine. */
export const baseEnv = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: process.env['HOME'] });

/** Starts a process whose output goes to files. It ends with this program, however that ends. */
export function launch({ name, command, args, env, folder }: Launch): Child {
  const stdoutPath = join(folder.path, `${name}.stdout.log`);
  const stderrPath = join(folder.path, `${name}.stderr.log`);
  const [stdout, stderr] = [followLog(stdoutPath), followLog(stderrPath)];
  const spawned = spawnInto(stdoutPath, stderrPath, (stdio) =>
    // A process group of its own: a terminal's Ctrl-C reaches this program alone, which then stops its children.
    spawn(command, args, { env, stdio: ['ignore', ...stdio], detached: true }),
  );
  const { pid } = spawned;
  if (pid === undefined) {
    spawned.on('error', () => {});
    throw new Error(`${name} cannot be started: ${command} is missing or cannot be run.`);
  }
  const watchdog = watchOver(pid, folder.temporary ? folder.path : '');
  const { ended, exit } = watchExit(spawned, watchdog.dismiss);
  spawned.unref();
  const kill = (signal: NodeJS.Signals): void => void spawned.kill(signal);
  const exited = (): Promise<Exit> => {
    if (exit() === undefined) spawned.ref();
    return ended;
  };
  const stop = (grace = 5_000): Promise<Exit> => (exit() === undefined ? stopChild(spawned, exited(), grace) : ended);
  return { pid, stdoutPath, stderrPath, stdout, stderr, exited, exit, kill, stop };
}

function spawnInto<T>(stdoutPath: string, stderrPath: string, start: (stdio: [number, number]) => T): T {
  const stdio: [number, number] = [openSync(stdoutPath, 'a', 0o600), openSync(stderrPath, 'a', 0o600)];
  try {
    return start(stdio);
  } finally {
    for (const file of stdio) closeSync(file);
  }
}

function watchExit(spawned: ChildProcess, then: () => void) {
  let last: Exit | undefined;
  const ended = new Promise<Exit>((resolve) => {
    spawned.once('exit', (code, signal) => {
      last = { code, signal };
      then();
      resolve(last);
    });
  });
  return { ended, exit: () => last };
}

async function stopChild(spawned: ChildProcess, exited: Promise<Exit>, grace: number): Promise<Exit> {
  spawned.kill('SIGTERM');
  const timer = new AbortController();
  const late = delay(grace, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
  if ((await Promise.race([exited, late])) === 'late') spawned.kill('SIGKILL');
  timer.abort();
  return exited;
}

export interface Start extends Launch {
  readonly ready: (child: Child) => boolean | Promise<boolean>;
  /** Milliseconds; 30 s unless told. */
  readonly deadline?: number;
}

/** Starts a process and waits until it is ready. One that ends first, or is late, is stopped and its last lines told. */
export async function startChild({ ready, deadline = 30_000, ...options }: Start): Promise<Child> {
  const child = launch(options);
  try {
    await until(() => child.exit() !== undefined || ready(child), { what: `${options.name} to be ready`, deadline });
    if (child.exit() !== undefined) throw new Error(`${options.name} ended before it was ready`);
    return child;
  } catch (error) {
    const { code, signal } = await child.stop();
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message} (exit ${code ?? signal}). Its last lines:\n${lastLines(child)}`, { cause: error });
  }
}

const lastLines = ({ stdout, stderr }: Child): string =>
  [stdout, stderr].flatMap((log) => log.lines().slice(-8)).join('\n');
