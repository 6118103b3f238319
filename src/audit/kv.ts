import { below } from './slashes.ts';

type Operations = ReadonlySet<string>;

/** `recover` is Vault Enterprise 1.20's: one secret taken back from a loaded snapshot. */
const WRITES = ['create', 'update', 'patch', 'recover'];

const V1: Operations = new Set(['create', 'update', 'delete', 'recover']);

/** The folders of a KV v2 mount below which an operation can change what a reader of the secret gets. */
const V2 = Object.entries<Operations>({
  data: new Set([...WRITES, 'delete']),
  metadata: new Set([...WRITES, 'delete']),
  delete: new Set(['create', 'update']),
  undelete: new Set(['create', 'update']),
  destroy: new Set(['create', 'update']),
});

/** Whether the operation can change anything at all, in KV or in the mount table; all others read. */
export const isWrite = (operation: string): boolean => WRITES.includes(operation) || operation === 'delete';

/**
 * The secret that an operation changes, by its path as KV knows it; undefined when it changes none. `path` lies below
 * the mount. The version is never guessed from the path: a v1 secret may be called `data/x`.
 */
export function changedSecret(kv: 1 | 2, operation: string, path: string): string | undefined {
  if (path === '') return undefined;
  if (kv === 1) return V1.has(operation) ? path : undefined;
  for (const [folder, operations] of V2) {
    const secret = operations.has(operation) ? below(folder, path) : undefined;
    if (secret) return secret;
  }
  return undefined;
}
