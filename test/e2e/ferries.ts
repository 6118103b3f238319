import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { baseEnv } from '../servers/child.ts';
import { projectRoot } from '../servers/root.ts';
import { startVaultFerry, type VaultFerry } from '../servers/vaultferry.ts';

/** Keys laid over the world's own configuration, section by section; `false` stands for the section itself. */
export type Sections = Readonly<Record<string, unknown>>;

export interface FerryOptions {
  /** All roles unless told. */
  readonly roles?: readonly ('ingress' | 'worker')[];
  readonly config?: Sections;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Every VaultFerry of a world, and all that they have said. */
export interface Ferries {
  start(name: string, options?: FerryOptions): Promise<VaultFerry>;
  /** SIGKILL, wherever it stands. */
  kill(name: string): Promise<void>;
  /** Starts one again as it was started. */
  restart(name: string): Promise<VaultFerry>;
  get(name: string): VaultFerry;
  /** Runs a command to its end; `env` beside what every command gets. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Run>;
  /** Asks one of a process's doors: `admin` or `http`. */
  ask(name: string, door: 'admin' | 'http', path: string, request?: RequestInit): Promise<HttpAnswer>;
  /** What the processes of this name have written to stdout and to stderr. */
  printed(name: string): readonly string[];
  /** All that was logged, printed and answered so far. */
  said(): string[];
  end(): Promise<void>;
}

/** `configText` is asked at each start: the addresses may be known only after the first one. */
export async function createFerries(
  configText: (over: Sections) => string,
  env: NodeJS.ProcessEnv,
  onReady: (ferry: VaultFerry) => void,
): Promise<Ferries> {
  const dir = await mkdtemp(join(tmpdir(), 'vaultferry-e2e-'));
  const running = new Map<string, VaultFerry>();
  const options = new Map<string, FerryOptions>();
  const logs = new Set<string>();
  const printed: string[] = [];
  const get = (name: string): VaultFerry => {
    const ferry = running.get(name);
    if (ferry === undefined) throw new Error(`no VaultFerry of the name ${name} was started`);
    return ferry;
  };
  const start = async (name: string, started: FerryOptions = {}): Promise<VaultFerry> => {
    const { roles = [], config = {}, env: more = {} } = started;
    options.set(name, started);
    for (const stream of ['stdout', 'stderr']) logs.add(join(dir, `${name}.${stream}.log`));
    const args = roles.flatMap((role) => ['--role', role]);
    const ferry = await startVaultFerry({ config: configText(config), env: { ...env, ...more }, args, dir, name });
    running.set(name, ferry);
    onReady(ferry);
    return ferry;
  };
  const kill = async (name: string): Promise<void> => {
    get(name).kill('SIGKILL');
    await get(name).exited();
  };
  return {
    start,
    kill,
    get,
    restart: (name) => start(name, options.get(name)),
    async run(args, more = {}) {
      const result = await run(args, { ...env, VAULTFERRY_CONFIG: configText({}), ...more });
      printed.push(result.stdout, result.stderr);
      return result;
    },
    async ask(name, door, path, request) {
      const answer = await ask(`${String(get(name).ready[door])}${path}`, request);
      printed.push(answer.body);
      return answer;
    },
    printed: (name) => {
      const { stdoutPath, stderrPath } = get(name);
      return [stdoutPath, stderrPath].map((path) => readFileSync(path, 'utf8'));
    },
    said: () => [...[...logs].map((path) => readFileSync(path, 'utf8')), ...printed],
    end: async () => {
      for (const name of running.keys()) await kill(name);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  const cli = join(projectRoot(), 'build/src/cli.js');
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...baseEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

async function ask(url: string, request: RequestInit = {}): Promise<HttpAnswer> {
  const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(60_000) });
  return { status: answer.status, body: await answer.text() };
}
