import type { KvVersion } from '../fakes/kv.ts';
import type { SecretRef } from './schedule.ts';

/** An entry of the audit device about a path of a KV mount. `made` is the version that a write of KV v2 tells of. */
export function entryOf(
  ref: SecretRef,
  operation: string,
  path: string,
  id: string,
  wall: number,
  made?: KvVersion,
  type: 'request' | 'response' = 'response',
) {
  const request = { id, operation, path, mount_type: 'kv', mount_point: `${ref.mount}/`, namespace: { id: 'root' } };
  const data = made && { version: made.version, created_time: made.createdTime };
  return { time: new Date(wall).toISOString(), type, request, ...(type === 'response' && { response: { data } }) };
}

/** One about Vault itself. */
export const systemEntry = (path: string, id: string, wall: number) => ({
  time: new Date(wall).toISOString(),
  type: 'response',
  request: { id, operation: 'update', path, mount_type: 'system', mount_point: 'sys/', namespace: { id: 'root' } },
  response: {},
});
