import { ConfigError } from '../config/errors.ts';
import { formatMount, type MountRef } from '../replicate/ref.ts';

/** A path as a policy names it that stands in the root namespace. */
export const policyPath = ({ namespace, mount }: MountRef, below: string): string =>
  [...(namespace === '' ? [] : [namespace]), mount, below].join('/');

/** One line of a policy. */
export const policyLine = (path: string, ...capabilities: readonly string[]): string =>
  `path ${JSON.stringify(path)} { capabilities = [${capabilities.map((one) => JSON.stringify(one)).join(', ')}] }`;

/** Vault knows no capability `scan` and refuses a policy that names it. */
export type PolicyServer = 'vault' | 'openbao';

/** A routed mount, and its KV version as far as a route tells; 2 unless told. */
export interface PolicyMount extends MountRef {
  readonly kvVersion?: 1 | 2 | 'auto';
}

/** One path of the policy. */
export interface PolicyRule {
  readonly path: string;
  readonly capabilities: readonly string[];
}

/** A piece of the policy: what it is for, and its rules, each with a comment of its own or none. */
type Piece = readonly { readonly comment: readonly string[]; readonly rule: PolicyRule }[];

/**
 * The least that the worker needs, as policies/*.hcl of vault-config and its apply.sh put it together: a test compares
 * the two to the byte. `mounts` are those of the routes.
 */
export function vaultPolicy(mounts: readonly PolicyMount[], server: PolicyServer): string {
  return pieces(mounts, server)
    .map((piece) => `${piece.map(({ comment, rule }) => [...comment, block(rule)].join('\n')).join('\n\n')}\n`)
    .join('\n');
}

/** The same as rules, for scripts. */
export const vaultPolicyRules = (mounts: readonly PolicyMount[], server: PolicyServer): readonly PolicyRule[] =>
  pieces(mounts, server).flatMap((piece) => piece.map(({ rule }) => rule));

const block = ({ path, capabilities }: PolicyRule): string =>
  `path "${path}" {\n  capabilities = [${capabilities.map((one) => `"${one}"`).join(', ')}]\n}`;

function pieces(mounts: readonly PolicyMount[], server: PolicyServer): readonly Piece[] {
  const unnamed = mounts.find((ref) => !isNameable(policyPath(ref, '')));
  if (unnamed !== undefined) {
    const text = `a policy cannot name the mount ${formatMount(unnamed)}: write its rules by hand`;
    throw new ConfigError([{ path: ['routes'], text }]);
  }
  const pathsOf = (kv1: boolean) =>
    mounts
      .filter(({ kvVersion }) => (kvVersion === 1) === kv1)
      .map(({ namespace, mount }) => (namespace === '' ? mount : `${namespace}/${mount}`));
  return [
    ...pathsOf(false).flatMap((path) => (server === 'openbao' ? [reading(path), atOnce(path)] : [reading(path)])),
    ...pathsOf(true).map(readingKv1),
    OWN_TOKEN,
  ];
}

/** In a policy `*` at the end and `+` as a segment stand for more than themselves, and HCL has signs of its own. */
const isNameable = (path: string): boolean => !/[\p{Cc}"\\*${}]/u.test(path) && !path.split('/').includes('+');

const reading = (mount: string): Piece => [
  {
    comment: [`# VaultFerry reads the mount ${mount} and changes nothing there.`, '', "# Each secret's current value."],
    rule: { path: `${mount}/data/*`, capabilities: ['read'] },
  },
  {
    comment: ["# The names in a folder (list), and a secret's versions without their values (read)."],
    rule: { path: `${mount}/metadata/*`, capabilities: ['read', 'list'] },
  },
];

const readingKv1 = (mount: string): Piece => [
  {
    comment: [
      `# VaultFerry reads the KV version 1 mount ${mount} and changes nothing there: each secret's value (read), and the names`,
      '# in a folder (list).',
    ],
    rule: { path: `${mount}/*`, capabilities: ['read', 'list'] },
  },
];

const atOnce = (mount: string): Piece => [
  {
    comment: [
      `# OpenBao alone: the whole of ${mount} in one answer.`,
      '# Without it each folder and each secret is a request of its own. Vault refuses a policy that names "scan".',
    ],
    rule: { path: `${mount}/metadata/*`, capabilities: ['scan'] },
  },
  { comment: [], rule: { path: `${mount}/detailed-metadata/*`, capabilities: ['list', 'scan'] } },
];

const OWN_TOKEN: Piece = [
  {
    comment: ["# VaultFerry's own token: is it alive, and for how long; keep it so."],
    rule: { path: 'auth/token/lookup-self', capabilities: ['read'] },
  },
  { comment: [], rule: { path: 'auth/token/renew-self', capabilities: ['update'] } },
];
