import { isDeepStrictEqual } from 'node:util';
import { duration } from '../demo/terminal.ts';
import { until } from '../servers/until.ts';
import type { Say } from './step.ts';
import { MOUNT, type Tour } from './tour.ts';

/** Writes a secret with the server's own command line; what is said of it has `…` for the value. */
export async function put(tour: Tour, say: Say, path: string, password: string): Promise<void> {
  const { server, vault } = tour;
  say(`$ docker compose exec -u root ${server} vault kv put ${MOUNT}/${path} password=…`);
  await vault(['kv', 'put', `${MOUNT}/${path}`, `password=${password}`]);
}

/** Waits until the copy holds the password as Vault's `version`, and tells how long that took. */
export async function carried(
  { copy }: Tour,
  path: string,
  version: number,
  password: string,
  deadline = 10_000,
): Promise<string> {
  const began = performance.now();
  const what = `version ${version} of ${MOUNT}/${path} in Secrets Manager`;
  const holds = async () => {
    const there = await copy(`${MOUNT}/${path}`);
    if (!there?.versionId.startsWith(`v${version}-`)) return undefined;
    return isDeepStrictEqual(there.value, { password }) ? there.versionId : undefined;
  };
  const versionId = await until(holds, { what, deadline, interval: 25 });
  return `${duration(performance.now() - began)}: AWSCURRENT is ${versionId}`;
}

export function demand(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
