import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { projectRoot } from '../servers/root.ts';

/** A tree of YAML of which nothing is known yet. */
export type Tree = Readonly<Record<string, unknown>>;

/** Every variable that an example names; none of them is a real one. */
const ENV = { ADMIN_TOKEN: 'an-admin-token', CREDENTIALS_DIRECTORY: '/run/credentials/vaultferry-worker.service' };

export const readInfra = (path: string): Promise<string> => readFile(join(projectRoot(), 'infra', path), 'utf8');

/** Fails like `vaultferry config check`: with a ConfigError that names every wrong key. */
export const checkedConfig = (text: string): Config => parseConfig(text, ENV);

/** The file's documents; a YAML error or warning fails. */
export async function documentsOf(path: string): Promise<Tree[]> {
  const documents = parseAllDocuments(await readInfra(path));
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    return document.toJS() as Tree;
  });
}

/** What stands at a path of keys and indices; undefined where the path ends early. */
export function at(tree: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null ? (node as Record<string | number, unknown>)[key] : undefined,
    tree,
  );
}

/** What every process of one installation must agree on, lest groups and deduplication differ. */
export const shared = ({ queue, routes, destinations, vault }: Config) => ({
  queue,
  routes,
  destinations,
  id: vault.id,
});
