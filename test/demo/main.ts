import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silenceSdk } from '../../src/config/env.ts';
import { ensureServers } from '../servers/install.ts';
import { InstallError } from '../servers/python.ts';
import type { Corridor } from './corridor.ts';
import { commandsToTry } from './keep.ts';
import { type Print, showStart, showSteps } from './show.ts';
import { type Paint, paintFor } from './terminal.ts';

const USAGE = `Usage: npm run demo [-- --keep]

Starts OpenBao, an AWS emulator and VaultFerry on free loopback ports, and shows secrets on their way.

  --keep   leaves everything running at the end, and prints commands to play with, until Ctrl-C
  --help   this text

Exit codes: 0 all was shown; 1 something failed or was late; 2 unknown option; 130 interrupted.`;

const print: Print = (line) => void process.stdout.write(`${line}\n`);
const complain: Print = (line) => void process.stderr.write(`${line}\n`);

async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) complain(USAGE);
  if (options?.help === true) print(USAGE);
  if (options === undefined || options.help) return options === undefined ? 2 : 0;
  const interrupted = interruption();
  try {
    await ensureServers();
    return await run(options.keep, interrupted);
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    complain(error.message);
    return 1;
  }
}

function readOptions(args: string[]): { keep: boolean; help: boolean } | undefined {
  const options = { keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch {
    return undefined;
  }
}

const interruption = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

/** Everything lives in one folder, which goes at the end; after a failure it stays for its logs. */
async function run(keep: boolean, interrupted: Promise<void>): Promise<number> {
  const paint = paintFor(process.stdout.isTTY === true, process.env);
  const folder = await mkdtemp(join(tmpdir(), 'vaultferry-demo-'));
  const started: Corridor[] = [];
  const shown = (async () => {
    const corridor = await showStart(folder, print, paint);
    started.push(corridor);
    await showSteps(corridor, print, paint);
    return 0;
  })();
  const code = await Promise.race([shown, interrupted.then(() => 130)]).catch((error: unknown) => {
    tellFailure(error, folder, paint);
    return 1;
  });
  if (code === 0 && keep) for (const corridor of started) await leaveRunning(corridor, paint, interrupted);
  // What was still starting when the interruption came ends with this program (test/servers/watchdog.ts).
  for (const corridor of started) await corridor.end();
  if (code !== 1) await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  return code;
}

function tellFailure(error: unknown, folder: string, { red }: Paint): void {
  complain(`${red('✗')} ${error instanceof Error ? error.message : String(error)}`);
  complain(`  the logs are in ${folder}`);
}

async function leaveRunning(corridor: Corridor, { bold }: Paint, interrupted: Promise<void>): Promise<void> {
  print('');
  for (const line of commandsToTry(corridor)) print(line);
  print('');
  print(bold('Everything keeps running until Ctrl-C.'));
  const awake = setInterval(() => undefined, 60_000); // neither children nor signals keep the program alive
  await interrupted;
  clearInterval(awake);
}

silenceSdk();
process.exit(await main(process.argv.slice(2)));
