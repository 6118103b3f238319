#!/usr/bin/env node
import './young-heap.ts';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { endpointChosen, sqsClient } from './aws/clients.ts';
import { type Clock, systemClock } from './clock.ts';
import { adoptCommand } from './commands/adopt.ts';
import { approveCommand } from './commands/approve-deletes.ts';
import { ask } from './commands/ask.ts';
import { configCommand } from './commands/config.ts';
import { dlqCommand } from './commands/dlq.ts';
import { checkNoQuestion, dlqAction } from './commands/dlq-action.ts';
import { doctorCommand } from './commands/doctor.ts';
import { createMeter } from './commands/meter.ts';
import { type CommandLine, readCommandLine } from './commands/options.ts';
import { checkOwnershipLine } from './commands/ownership.ts';
import { type PlanCommand, planCommand } from './commands/plan.ts';
import type { View } from './commands/plan-print.ts';
import { iamPolicyCommand, policyCommand, policyMounts, policyOf } from './commands/policy.ts';
import { releaseCommand } from './commands/release.ts';
import { replicateCommand } from './commands/replicate.ts';
import { serveCommand } from './commands/serve.ts';
import { statusCommand } from './commands/status.ts';
import { checkSweepLine, sweepCommand } from './commands/sweep.ts';
import { printable } from './commands/table.ts';
import { createTerminal } from './commands/terminal.ts';
import { UsageError } from './commands/usage-error.ts';
import type { Config } from './config/config.ts';
import { environment, silenceSdk } from './config/env.ts';
import { ConfigError, formatProblem } from './config/errors.ts';
import { loadConfig } from './config/load.ts';
import { createLetterQueue } from './dead-letters/queue.ts';
import { ReplicationError } from './errors.ts';
import { HELP, USAGE } from './help.ts';
import { createLog } from './log.ts';
import { createInbox, createPublisher } from './queue/sqs.ts';
import { createRoutes } from './replicate/routes.ts';
import { openBothEnds } from './serve/both-ends.ts';
import { openPlaces } from './serve/places.ts';

const write = (text: string) => process.stdout.write(text);
const writeError = (text: string) => process.stderr.write(text);
const terminal = createTerminal(process.stdin, process.stderr);

async function main(args: string[]): Promise<number> {
  const line = readCommandLine(args);
  const { command, operands, help } = line;
  if (line.version) {
    write(`${await version()}\n`);
    return 0;
  }
  if (help || command === 'help') {
    write(HELP[(command === 'help' ? operands[0] : command) ?? ''] ?? USAGE);
    return 0;
  }
  const run = Object.hasOwn(COMMANDS, command ?? '') ? COMMANDS[command ?? ''] : undefined;
  if (run !== undefined) return run(line);
  throw new UsageError(command === undefined ? 'a command is missing' : `there is no command "${command}"`);
}

const COMMANDS: Readonly<Record<string, (line: CommandLine) => Promise<number>>> = {
  async serve({ operands, file, roles }) {
    if (operands.length > 0) throw new UsageError(`serve takes no operand, but got "${operands[0]}"`);
    return serveCommand({ config: await load(file), roles, env: environment(), load: () => load(file) });
  },
  async plan(line) {
    if (line.operands.length > 0) throw new UsageError(`plan takes no operand, but got "${line.operands[0]}"`);
    return comparing(line, (command) => planCommand(command));
  },
  async sweep(line) {
    checkSweepLine(line, terminal.asks);
    if (line.dryRun) return comparing(line, (command) => planCommand(command));
    return comparing(line, (command, { queue }) => {
      const client = sqsClient(endpointChosen(environment()));
      const publisher = createPublisher(client, queue.url);
      const ask = askOnTerminal(command.signal);
      if (line.approveDeletes) return approveCommand({ ...command, publisher, yes: line.yes, ask });
      // It receives nothing, so that no visibility timeout counts.
      return sweepCommand({ ...command, publisher, depth: createInbox(client, queue.url, 0).depth });
    });
  },
  async replicate({ operands, file, json }) {
    if (operands.length === 0) throw new UsageError('replicate needs at least one REF');
    const { vault, queue, routes, destinations } = await load(file);
    const publisher = createPublisher(sqsClient(endpointChosen(environment())), queue.url);
    const routed = createRoutes(routes, destinations);
    return replicateCommand({ refs: operands, vault: vault.id, routes: routed, publisher, json, write, writeError });
  },
  async status({ operands, file, json }) {
    const config = await load(file);
    const log = createLog('warn', process.stderr.isTTY === true);
    const { source, ends, close } = await openBothEnds(config, log);
    const routes = createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret);
    const shown = { clock: systemClock, meter: meterOf(), view: viewOfStdout(), json, write, writeError };
    return statusCommand({ refs: operands, routes, source, ends, ...shown }).finally(close);
  },
  async adopt(line) {
    checkOwnershipLine('adopt', line, terminal.asks);
    const { operands: refs, all, yes, json } = line;
    const config = await load(line.file);
    const log = createLog('warn', process.stderr.isTTY === true);
    const places = await openPlaces(config);
    const { source, ends, close } = await openBothEnds(config, log);
    const routes = createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret);
    const streams = { ask: askOnTerminal(), ...ownershipMeters('listing Vault'), json, write, writeError };
    return adoptCommand({ refs, all, yes, routes, places, source, ends, ...streams }).finally(close);
  },
  async release(line) {
    checkOwnershipLine('release', line, terminal.asks);
    const { operands: refs, all, yes, json } = line;
    const config = await load(line.file);
    const places = await openPlaces(config);
    const routes = createRoutes(config.routes, config.destinations);
    const streams = { ask: askOnTerminal(), ...ownershipMeters('listing copies'), json, write, writeError };
    return releaseCommand({ refs, all, yes, routes, places, vault: config.vault.id, ...streams });
  },
  async doctor({ operands, file, json }) {
    if (operands.length > 0) throw new UsageError(`doctor takes no operand, but got "${operands[0]}"`);
    const config = await load(file);
    // What would be logged stands in the findings.
    const log = createLog('silent', false);
    const terminal = process.stdout.isTTY === true;
    return doctorCommand({ config, env: environment(), clock: systemClock, log, json, terminal, write });
  },
  async policy({ operands, file, json, roles }) {
    const of = policyOf(operands, roles);
    const config = await load(file);
    if (of === 'iam') return iamPolicyCommand({ config, roles, json, write, writeError });
    const { routes, destinations } = config;
    const mounts = policyMounts(createRoutes(routes, destinations).mounts, routes);
    return policyCommand({ of, mounts, json, write });
  },
  config: ({ operands, file, json, roles }) =>
    configCommand({ action: configAction(operands), file, json, roles, env: environment(), write, writeError }),
  async dlq({ operands, file, json, ...options }) {
    const action = dlqAction(operands, options);
    if (!options.yes && !terminal.asks) checkNoQuestion(action);
    const { vault, queue, routes, destinations } = await load(file);
    const client = sqsClient(endpointChosen(environment()));
    const signal = interruption();
    return dlqCommand(
      {
        vault: vault.id,
        routes: createRoutes(routes, destinations),
        queue: createLetterQueue(client, queue.deadLetterUrl),
        publisher: createPublisher(client, queue.url),
        freshId: randomUUID,
        ask: askOnTerminal(signal),
        ...{ clock: systemClock, signal, json, yes: options.yes, write, writeError, progress: terminal.progress },
      },
      action,
    );
  },
};

type Comparing = PlanCommand & { readonly clock: Clock };

/** Runs a command that compares both ends; it ends with 1 when it is interrupted. */
async function comparing(
  { file, json, deep, all }: CommandLine,
  run: (command: Comparing, config: Config) => Promise<number>,
): Promise<number> {
  const config = await load(file);
  const log = createLog('warn', process.stderr.isTTY === true);
  const { source, ends, close } = await openBothEnds(config, log);
  const signal = interruption();
  const command = {
    ...{ vault: config.vault.id, source, ends, clock: systemClock, signal, deep, all, json, write },
    routes: createRoutes(config.routes, config.destinations, config.vault.auth?.connectionSecret),
    meter: meterOf(),
    view: viewOfStdout(),
    writeError,
  };
  try {
    return await run(command, config);
  } catch (error) {
    if (!signal.aborted) throw error;
    writeError('interrupted: not everything was compared; what is on the queue stays there\n');
    return 1;
  } finally {
    await close();
  }
}

const meterOf = (words?: { readonly listing: string; readonly doing: string }) =>
  createMeter(terminal.progress, systemClock, words);

const ownershipMeters = (listing: string) => ({
  looking: meterOf({ listing, doing: 'looking' }),
  changing: meterOf({ listing: 'tagging', doing: 'tagging' }),
});

function viewOfStdout(): Omit<View, 'now'> {
  const isTerminal = process.stdout.isTTY === true;
  const coloured = isTerminal && (environment()['NO_COLOR'] ?? '') === '';
  return { coloured, columns: isTerminal ? process.stdout.columns : undefined };
}

const load = (file: string | undefined) =>
  loadConfig({ file, env: environment(), readFile: (path) => readFile(path, 'utf8') });

function configAction([action]: readonly string[]): 'check' | 'print' | 'schema' {
  if (action === 'check' || action === 'print' || action === 'schema') return action;
  throw new UsageError('config takes check, print or schema');
}

const askOnTerminal =
  (signal: AbortSignal = interruption()) =>
  (question: string) =>
    ask(question, { input: process.stdin, output: process.stderr, signal });

/** Aborts at the first SIGINT or SIGTERM; a second one ends the program at once. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => interrupted.abort());
  return interrupted.signal;
}

async function version(): Promise<string> {
  const file = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(file) as { version?: unknown }).version);
}

/** What a person is told; the rest is our fault, and its text is not trusted to hold no value. */
function explain(error: unknown): { text: string; code: number } {
  if (error instanceof UsageError) return { text: `${printable(error.message)}\nSee vaultferry --help`, code: 2 };
  if (error instanceof ConfigError)
    return { text: error.problems.map((one) => printable(formatProblem(one))).join('\n'), code: 2 };
  if (error instanceof ReplicationError) return { text: `${printable(error.message)} (${error.code})`, code: 1 };
  return { text: `an unexpected ${error instanceof Error ? error.name : 'error'}: please report it`, code: 1 };
}

// Whoever reads may have read enough, as `head` has: the rest is not written, and the command ends as it would.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
silenceSdk();
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const { text, code } = explain(error);
  writeError(`vaultferry: ${text}\n`);
  return code;
});
