import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Why the servers cannot be installed, in one line for a person: what is missing, how to get it, the other way. */
export class InstallError extends Error {
  override name = 'InstallError';

  constructor(text: string, cause?: unknown) {
    super(`${text} The demo also runs without it: docker compose up`, cause === undefined ? undefined : { cause });
  }
}

const PROBE = `
import json, sys
from importlib.util import find_spec
missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
print(json.dumps({"version": sys.version_info[:3], "missing": missing}))`;

interface Found {
  readonly command: string;
  readonly version: readonly number[];
  readonly missing: readonly string[];
}

/** The command of a Python 3.10 or newer that can make virtual environments: $PYTHON, else python3, else python. */
export async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  const chosen = env['PYTHON'] || undefined;
  const commands = chosen === undefined ? ['python3', 'python'] : [chosen];
  const found: Found[] = [];
  for (const command of commands) {
    const python = await probe(command, env);
    if (python !== undefined && isRecent(python) && python.missing.length === 0) return command;
    if (python !== undefined) found.push(python);
  }
  throw new InstallError(whyNot(found.find(isRecent) ?? found[0], chosen));
}

const isRecent = ({ version: [major = 0, minor = 0] }: Found): boolean => major > 3 || (major === 3 && minor >= 10);

async function probe(command: string, env: NodeJS.ProcessEnv): Promise<Found | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, ['-c', PROBE], { env, timeout: 30_000 });
    return { command, ...(JSON.parse(stdout) as Omit<Found, 'command'>) };
  } catch {
    return undefined;
  }
}

function whyNot(found: Found | undefined, chosen: string | undefined): string {
  const get = 'install it (Debian, Ubuntu: apt install python3-venv; macOS: brew install python)';
  if (found === undefined && chosen !== undefined) {
    return `Python 3.10 or newer is needed, and $PYTHON (${chosen}) is none that runs: correct it, or unset it.`;
  }
  if (found === undefined) return `Python 3.10 or newer is needed and was not found: ${get}, or set $PYTHON to one.`;
  const version = found.version.join('.');
  if (!isRecent(found)) {
    return `Python 3.10 or newer is needed, and ${found.command} is ${version}: install a newer one and set $PYTHON to it.`;
  }
  return `Python ${version} (${found.command}) lacks its module ${found.missing.join(' and ')}: ${get}.`;
}
