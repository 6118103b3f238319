import { ReplicationError } from '../errors.ts';
import { formatMount, formatRef, type SecretRef } from '../replicate/ref.ts';
import type { Mount, SourceState } from '../replicate/source.ts';
import { found, foundV1 } from './answer.ts';
import { forbidden, policyLine, type Reader } from './ask.ts';
import type { Mounts } from './mounts.ts';
import { valuePath } from './path.ts';

/** What a read needs. */
export interface Reading {
  readonly reader: Reader;
  readonly mounts: Mounts;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A read by one KV version that met a mount of the other one proves nothing, and is made anew by that one. */
type Attempt = SourceState | { readonly kind: 'other_version'; readonly kv: 1 | 2 };

/** Throws as {@link Source.read} says. */
export async function read(reading: Reading, ref: SecretRef): Promise<SourceState> {
  const path = valuePath(ref); // before anything is asked: what Vault cannot have is refused
  let kv = reading.mounts.lastSeen(ref) ?? 2;
  for (let attempts = 0; attempts < 2; attempts += 1) {
    const attempt = kv === 2 ? await readV2(reading, ref, path) : await readV1(reading, ref);
    if (attempt.kind !== 'other_version') return attempt;
    kv = attempt.kv;
  }
  const text = `the mount ${formatMount(ref)} changed its KV version while ${formatRef(ref)} was read; it is read again`;
  throw new ReplicationError('source_unavailable', text);
}

/** The value and the mount's entry are asked for side by side; an absence counts only with an entry read after it. */
async function readV2({ reader, mounts, now }: Reading, ref: SecretRef, path: string): Promise<Attempt> {
  const what = formatRef(ref);
  const [answer, beside] = await Promise.all([reader.get(ref.namespace, path, what), settle(mounts.entry(ref))]);
  // A refusal is final, and says nothing of a mount of version 1: who is not known to have 2 is asked for once more.
  const entry = answer.status === 403 && 'error' in beside ? await settle(mounts.entry(ref)) : beside;
  if ('error' in entry && isMismatch(entry.error)) throw entry.error;
  if ('mount' in entry && entry.mount.kv === 1) return { kind: 'other_version', kv: 1 };
  if (answer.status === 403) throw forbidden(ref.namespace, what, policyLine(ref, `data/${ref.path}`, 'read'));
  const state = found(answer, what, now());
  if (state.kind === 'absent') {
    // A mount that was enabled anew as version 1 answers a read of version 2 like a purge.
    const after = await mounts.entry(ref);
    return after.kv === 2 ? { ...state, mount: after } : { kind: 'other_version', kv: 1 };
  }
  if ('error' in entry) throw entry.error;
  return entry.mount.kv === 2 ? { ...state, mount: entry.mount } : { kind: 'other_version', kv: 1 };
}

/**
 * The entry is asked for after the value, always: an upgrade to version 2 keeps the accessor, and from then on the same
 * path answers otherwise, `data/x` with a whole version of another secret.
 */
async function readV1({ reader, mounts }: Reading, ref: SecretRef): Promise<Attempt> {
  const what = formatRef(ref);
  const answer = await reader.get(ref.namespace, valuePath(ref, 1), what);
  const mount = await mounts.entry(ref);
  if (mount.kv === 2) return { kind: 'other_version', kv: 2 };
  if (answer.status === 403) throw forbidden(ref.namespace, what, policyLine(ref, ref.path, 'read'));
  return { ...foundV1(answer, what), mount };
}

const isMismatch = (error: unknown): boolean =>
  error instanceof ReplicationError && error.code === 'mount_version_mismatch';

/** Waits for both of two requests without leaving the other's rejection to nobody. */
const settle = (pending: Promise<Mount>): Promise<{ mount: Mount } | { error: unknown }> =>
  pending.then(
    (mount) => ({ mount }),
    (error: unknown) => ({ error }),
  );
