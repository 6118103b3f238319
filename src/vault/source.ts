import type { Log } from '../log.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Mount, Source } from '../replicate/source.ts';
import { type AccessOptions, createAccess } from './access.ts';
import { createAsk, paced, type Reader } from './ask.ts';
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
  /** Awaited before each request of a listing, whatever that needs; with `pacesReads` before each of a read too. */
  readonly pace?: () => Promise<void>;
  readonly pacesReads?: boolean;
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
  const { log = silent, pace, pacesReads = false, now = Date.now, mounts = [], namespace = '', ...access } = options;
  const { client, tokens, logins } = createAccess({ ...access, namespace, log });
  const slowly = pace === undefined ? client : paced(client, pace);
  const reader = createAsk(pacesReads ? slowly : client, tokens, { namespace, mounts });
  const lister = createAsk(slowly, tokens, { namespace, mounts, believedFor: BELIEVED });
  const closing = new AbortController();
  const ask = reader.as;
  let renewing = Promise.resolve();
  return {
    ...createSource(reader, now, lister, mounts),
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

/** For so long a listing believes in its token, in ms: past that, a refusal may be the token's end, and is looked into. */
const BELIEVED = 10_000;

/** Reads through one that asks Vault, and lists through another; see {@link VaultOptions}. */
export function createSource(
  reader: Reader,
  now: () => number,
  lister: Pick<Reader, 'get'> = reader,
  routed: readonly RoutedMount[] = [],
): Source {
  const mounts = createMounts(reader, routed);
  const listedMounts = createMounts(lister, routed);
  const { entry } = listedMounts;
  const listed = (mount: MountRef, onHidden?: OnHidden) =>
    list({ reader: lister, mounts: listedMounts }, mount, onHidden);
  return {
    read: (ref) => read({ reader, mounts, now }, ref),
    list: (mount) => listed(mount),
    survey: createSurvey({ reader: lister, now, entry, list: listed }),
  };
}
