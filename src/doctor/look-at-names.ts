import { ReplicationError } from '../errors.ts';
import { formatRef } from '../replicate/ref.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Source } from '../replicate/source.ts';
import type { NamesFacts, WantedCopy } from './checks/names.ts';

/** Past so many secrets no listing is worth a doctor's visit. */
const ENOUGH = 10_000;

/** The copies that the routed mounts' secrets ask for. */
export async function lookAtNames(source: Pick<Source, 'list'>, routes: Routes, most = ENOUGH): Promise<NamesFacts> {
  const copies: WantedCopy[] = [];
  let secrets = 0;
  try {
    for (const mount of routes.mounts) {
      for await (const path of source.list(mount)) {
        secrets += 1;
        if (secrets > most) return { kind: 'too_many', most };
        const ref = { ...mount, path };
        copies.push(...routes.targets(ref).map((target) => ({ ...target, ref: formatRef(ref) })));
      }
    }
    return { kind: 'listed', secrets, copies };
  } catch (error) {
    if (error instanceof ReplicationError) return { kind: 'unknown', reason: error.message };
    throw error;
  }
}
