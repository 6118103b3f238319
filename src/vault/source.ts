import type { Log } from '../log.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Mount, Source } from '../replicate/source.ts';
import { type AccessOptions, createAccess } from './access.ts';
import { createAsk, type Reader } from './ask.ts';
import { list, type OnHidden } from './list.ts';
import { createMounts, type RoutedMount, readEntry } from './mounts.ts';
import { read } from './read.ts';
import { keepRenewed } from './renewal.ts';
import { createSurvey } from './survey.ts';

export interface VaultOptions extends Omit<AccessOptions, 'log' | 'namespace'> {
  /** The namespace that issues tokens; the root namespace unless told. */
  readonly namespace?: string;
  /** The routed mounts. The token should be able to use them: they bear witness for one whose policy lacks lookup-self. */
  readonly mounts?: readonly RoutedMount[];
  readonly log?: Log;
  /** Awaited before each request of a listing. */
  readonly pace?: () => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface VaultSource extends Source {
  /** The mount's entry. Throws mount_version_mismatch when it is not KV, source_unavailable when Vault does not show it. */
  mount(ref: MountRef): Promise<Mount>;
  /** Resolves when Vault answers and takes the token. */
  ping(): Promise<void>;
  /** Begins to keep the token renewed. */
  renew(): void;
  /** Ends the renewal and every request in flight. */
  close(): Promise<void>;
}

const ignore = (): void => undefined;
const silent: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Vault's or OpenBao's KV as a Source. Connects at the first request. */
export function createVaultSource(options: VaultOptions): VaultSource {
  const { log = silent, pace, now = Date.now, mounts = [], namespace = '', ...access } = options;
  const { client, tokens, logins } = createAccess({ ...access, namespace, log });
  const reader = createAsk(client, tokens, { namespace, mounts });
  const closing = new AbortController();
  const ask = reader.as;
  let renewing = Promise.resolve();
  return {
    ...createSource(reader, now, pace, mounts),
    mount: (ref) => readEntry(reader, ref),
    ping: () => reader.checkToken(),
    renew() {
      renewing = keepRenewed({ current: tokens.current, ask, logins, log }, closing.signal);
    },
    close: async () => {
      closing.abort();
      client.close();
      await renewing;
    },
  };
}

/** Reads and lists through whatever asks Vault; see {@link VaultOptions}. */
export function createSource(
  reader: Reader,
  now: () => number,
  pace: () => Promise<void> = async () => undefined,
  routed: readonly RoutedMount[] = [],
): Source {
  const mounts = createMounts(reader, routed);
  const listed = (mount: MountRef, onHidden?: OnHidden) => list({ reader, mounts, pace }, mount, onHidden);
  return {
    read: (ref) => read({ reader, mounts, now }, ref),
    list: (mount) => listed(mount),
    survey: createSurvey({ reader, now, pace, entry: mounts.entry, list: listed }),
  };
}
