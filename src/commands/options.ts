import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Role } from '../config/roles.ts';
import { UsageError } from './usage-error.ts';

const ROLES: readonly Role[] = ['ingress', 'worker'];

/** The options that not every command takes. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  role: ['serve', 'config', 'policy'],
  code: ['dlq'],
  all: ['dlq', 'adopt', 'release', 'plan', 'sweep'],
  yes: ['dlq', 'adopt', 'release', 'sweep'],
  deep: ['plan', 'sweep'],
  'dry-run': ['sweep'],
  'approve-deletes': ['sweep'],
};

/** A command line, read but not yet understood by its command. */
export interface CommandLine {
  readonly command: string | undefined;
  readonly operands: readonly string[];
  /** The argument of --config. */
  readonly file: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly roles: ReadonlySet<Role>;
  readonly code: string | undefined;
  readonly all: boolean;
  readonly yes: boolean;
  readonly deep: boolean;
  readonly dryRun: boolean;
  readonly approveDeletes: boolean;
}

/** Throws a UsageError for an option that is not known, or not to this command. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals, tokens } = parse(args);
  const [command, ...operands] = positionals;
  for (const token of tokens) {
    if (token.kind === 'option') checkOwn(token.name, command);
  }
  const { config: file, json, help, version, role, code, all, yes, deep } = values;
  const sweeping = { deep, dryRun: values['dry-run'], approveDeletes: values['approve-deletes'] };
  return { command, operands, file, json, help, version, roles: readRoles(role), code, all, yes, ...sweeping };
}

function parse(args: readonly string[]) {
  try {
    const options = {
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', default: false },
      role: { type: 'string', multiple: true, default: [] },
      code: { type: 'string' },
      all: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      deep: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      'approve-deletes': { type: 'boolean', default: false },
    } satisfies ParseArgsConfig['options'];
    return parseArgs({ args: [...args], allowPositionals: true, tokens: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'the arguments cannot be read');
  }
}

function checkOwn(option: string, command: string | undefined): void {
  const owners = OWN[option];
  if (owners === undefined || command === undefined || owners.includes(command)) return;
  throw new UsageError(
    `--${option} does not go with "${command}", but with ${new Intl.ListFormat('en-GB').format(owners)}`,
  );
}

function readRoles(names: readonly string[]): ReadonlySet<Role> {
  const unknown = names.find((name) => !ROLES.some((role) => role === name));
  if (unknown !== undefined) throw new UsageError(`--role ${unknown}: expected ingress or worker`);
  return new Set(names.length === 0 ? ROLES : ROLES.filter((role) => names.includes(role)));
}
