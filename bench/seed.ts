import { pMapIterable } from 'p-map';
import type { OpenBao } from '../test/servers/openbao.ts';
import type { InSync } from './secrets-manager.ts';

export const MOUNT = 'kv';
const SIDE_BY_SIDE = 16;

/** So many paths, spread over the folders. */
export const pathsOf = (count: number, folders: number): string[] =>
  Array.from({ length: count }, (_, n) => `team-${n % folders}/app-${Math.floor(n / folders)}`);

/** Writes the secrets to OpenBao; what the copies are made of that VaultFerry would have made of them. */
export async function seed(bao: OpenBao, paths: readonly string[]): Promise<InSync[]> {
  const { body } = await bao.request('GET', `sys/mounts/${MOUNT}`);
  const { accessor } = (body as { data: { accessor: string } }).data;
  const mount = { accessor, kv: 2 } as const;
  const one = async (path: string): Promise<InSync> => {
    const { version, created_time: createdTime } = await bao.put(MOUNT, path, { username: path, password: 'made-up' });
    return { path, mount, version, createdTime };
  };
  const copies: InSync[] = [];
  for await (const copy of pMapIterable(paths, one, { concurrency: SIDE_BY_SIDE })) copies.push(copy);
  return copies;
}
