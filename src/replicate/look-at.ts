import type { Clock } from '../clock.ts';
import { decide, type Look } from './decide.ts';
import type { Destination } from './destination.ts';
import type { SecretRef } from './ref.ts';
import { isVersioned, type Source, type SourceState } from './source.ts';
import { TAG_VERSION, type Tags } from './tags.ts';
import type { Moment } from './version-id.ts';

/** What one message asks for: one secret, one copy. */
export interface Order {
  readonly ref: SecretRef;
  readonly route: string;
  readonly secretName: string;
  readonly hint: Moment | undefined;
  /** See {@link Look}. */
  readonly hintSuperseded?: boolean;
  /** It cannot be earlier than that, whatever our clock says: ms since the epoch, on the queue's clock. */
  readonly sentAt?: number;
}

export interface LookPorts {
  readonly source: Pick<Source, 'read'>;
  readonly destination: Pick<Destination, 'describe' | 'value'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly vault: string;
  /** The destination's own tags. */
  readonly tags: Tags;
  /** Whether copies carry Vault's version number as the tag `version`. */
  readonly versionTag: boolean;
  /** 24 hex digits, others at each call. */
  readonly fresh: () => string;
}

/**
 * What both ends say of one secret; writes nothing, and believes no old answer. The destination is asked before the
 * source: the swap at the end guards what lies between.
 */
export async function lookAtBoth(ports: LookPorts, order: Order): Promise<Look> {
  const { ref, route, secretName, hint, hintSuperseded = false, sentAt = 0 } = order;
  const destination = await ports.destination.describe(secretName);
  const source = await ports.source.read(ref);
  const look: Look = {
    source,
    destination,
    owner: { vault: ports.vault, route, ref, mount: source.mount },
    secretName,
    tags: { ...ports.tags, ...(ports.versionTag ? versionTagOf(source) : {}) },
    hint,
    hintSuperseded,
    acceptStale: false,
    now: new Date(Math.max(ports.clock.now(), sentAt)).toISOString(),
    fresh: ports.fresh(),
  };
  const currentValue = await valueToCompare(ports.destination, look);
  return currentValue === undefined ? look : { ...look, currentValue };
}

const versionTagOf = (source: SourceState): Tags =>
  source.kind === 'present' && isVersioned(source) ? { [TAG_VERSION]: String(source.version) } : {};

/**
 * The value at AWSCURRENT, where only it can tell whether the copy has what Vault has: that of a KV v1 secret. It is read
 * by the id that was seen, and only where we would write, so that nobody else's value is ever asked for.
 */
async function valueToCompare(destination: LookPorts['destination'], look: Look): Promise<Look['currentValue']> {
  const { destination: copy } = look;
  if (look.source.mount.kv === 2 || copy === undefined) return undefined;
  const action = decide(look);
  if (action.kind !== 'put' || action.from === undefined) return undefined;
  return destination.value(copy.arn, action.from);
}
