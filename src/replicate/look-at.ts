import type { Clock } from '../clock.ts';
import type { Look } from './decide.ts';
import type { Destination } from './destination.ts';
import type { SecretRef } from './ref.ts';
import type { Source } from './source.ts';
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
}

export interface LookPorts {
  readonly source: Pick<Source, 'read'>;
  readonly destination: Pick<Destination, 'describe'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly vault: string;
  /** The destination's own tags. */
  readonly tags: Tags;
  /** Whether copies carry Vault's version number as the tag `version`. */
  readonly versionTag: boolean;
}

/**
 * What both ends say of one secret; writes nothing, and believes no old answer. The destination is asked before the
 * source: the swap at the end guards what lies between.
 */
export async function lookAtBoth(ports: LookPorts, order: Order): Promise<Look> {
  const { ref, route, secretName, hint, hintSuperseded = false } = order;
  const destination = await ports.destination.describe(secretName);
  const source = await ports.source.read(ref);
  const version = ports.versionTag && source.kind === 'present' ? { [TAG_VERSION]: String(source.version) } : {};
  return {
    source,
    destination,
    owner: { vault: ports.vault, route, ref, mount: source.mount },
    secretName,
    tags: { ...ports.tags, ...version },
    hint,
    hintSuperseded,
    acceptStale: false,
    now: new Date(ports.clock.now()).toISOString(),
  };
}
