import { silenceSdk } from '../../src/config/env.ts';
import { duration, type Paint, paintFor } from '../demo/terminal.ts';
import type { Step } from './step.ts';
import { STEPS } from './steps.ts';
import { openTour, type Tour } from './tour.ts';

const USAGE = `Usage: npm run tour

Walks README.md's tour against the containers of docker-compose.yml, which run already, and checks each step.
It adds secrets of its own, and stops and starts the ingress and a worker. About two minutes.

Exit codes: 0 every step was true; 1 one was not; 2 unknown option.`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const help = args.length === 1 && (args[0] === '--help' || args[0] === '-h');
  if (help) print(USAGE);
  else if (args.length > 0) complain(USAGE);
  if (args.length > 0) return help ? 0 : 2;
  const paint = paintFor(process.stdout.isTTY === true, process.env);
  try {
    await walk(paint);
    return 0;
  } catch (error) {
    complain(`${paint.red('✗')} ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function walk(paint: Paint): Promise<void> {
  const began = performance.now();
  const tour = await openTour(Date.now().toString(36));
  print(paint.bold(`VaultFerry: a tour of the containers, with ${tour.server === 'vault' ? 'Vault' : 'OpenBao'}`));
  for (const step of STEPS) await show(step, tour, paint);
  print('');
  print(`${paint.green('✓')} all ${STEPS.length} steps are true; ${duration(performance.now() - began)}`);
}

async function show({ name, run }: Step, tour: Tour, { bold, dim, green }: Paint): Promise<void> {
  print('');
  print(bold(name));
  try {
    const seen = await run(tour, (line) => print(`  ${line.startsWith('$ ') ? dim(line) : line}`));
    print(`  ${green('✓')} ${seen}`);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

silenceSdk();
process.exit(await main(process.argv.slice(2)));
