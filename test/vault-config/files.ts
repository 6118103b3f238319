import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../servers/root.ts';

/** A file of vault-config, by its path in there. */
export const configFile = (path: string): string => readFileSync(join(projectRoot(), 'vault-config', path), 'utf8');

export type Server = 'vault' | 'openbao';

/**
 * The replicator's policy for these mounts (as a policy spells them: `namespace/mount`), by the rule that apply.sh and
 * the Terraform module follow too: for each mount its files, then the token's; an empty line between any two.
 */
export function renderPolicy(server: Server, mounts: readonly string[]): string {
  const files = server === 'vault' ? ['replicator'] : ['replicator', 'replicator-openbao'];
  const pieces = mounts.flatMap((mount) =>
    files.map((file) => configFile(`policies/${file}.hcl`).replaceAll('${' + 'mount}', mount)),
  );
  return [...pieces, configFile('policies/replicator-token.hcl')].join('\n');
}

/** One capability of one path block of a policy. */
export interface Line {
  readonly path: string;
  readonly capability: string;
}

const BLOCK = /^path "([^"]+)" \{\n {2}capabilities = \[([^\]]+)\]\n\}$/gm;

export const policyLines = (policy: string): readonly Line[] =>
  [...policy.matchAll(BLOCK)].flatMap(([, path = '', capabilities = '']) =>
    capabilities.split(', ').map((quoted) => ({ path, capability: quoted.slice(1, -1) })),
  );

export const writePolicy = (lines: readonly Line[]): string =>
  lines.map(({ path, capability }) => `path "${path}" { capabilities = ["${capability}"] }\n`).join('');
