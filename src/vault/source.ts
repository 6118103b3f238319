import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import { formatMount, formatRef, type MountRef, type SecretRef } from '../replicate/ref.ts';
import type { Mount, Source, SourceState } from '../replicate/source.ts';
import { found, listedKeys, mountEntry } from './answer.ts';
import { createAsk, type Reader } from './ask.ts';
import { type ClientOptions, createClient } from './client.ts';
import { entryPath, listPath, valuePath } from './path.ts';
import { keepRenewed } from './renewal.ts';
import { createTokenReader, type TokenAuth } from './token.ts';

export interface VaultOptions extends ClientOptions {
  readonly token: TokenAuth;
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

/** A LIST of one folder: some hundred thousand names. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

const ignore = (): void => undefined;
const silent: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Vault's or OpenBao's KV v2 as a Source. Connects at the first request. */
export function createVaultSource({ token, log = silent, pace, now = Date.now, ...client }: VaultOptions): VaultSource {
  const vault = createClient(client);
  const tokens = createTokenReader(token, log);
  const reader = createAsk(vault, tokens);
  const closing = new AbortController();
  const ask = reader.as;
  let renewing = Promise.resolve();
  return {
    read: (ref) => read(reader, ref, now),
    list: (mount) => list(reader, mount, pace),
    mount: (ref) => mount(reader, ref),
    ping: () => reader.checkToken(),
    renew() {
      renewing = keepRenewed({ current: tokens.current, ask, log }, closing.signal);
    },
    close: async () => {
      closing.abort();
      vault.close();
      await renewing;
    },
  };
}

/** The value and the mount's entry are asked for side by side; an absence counts only with an entry read after it. */
async function read(reader: Reader, ref: SecretRef, now: () => number): Promise<SourceState> {
  const what = formatRef(ref);
  const path = valuePath(ref);
  const [answer, entry] = await Promise.all([reader.get(ref.namespace, path, what), settle(mount(reader, ref))]);
  if ('mount' in entry) requireV2(entry.mount, ref);
  if ('error' in entry && isMismatch(entry.error)) throw entry.error;
  if (answer.status === 403)
    throw await reader.refusal(ref.namespace, what, policyLine(ref, `data/${ref.path}`, 'read'));
  const state = found(answer, what, now());
  if (state.kind === 'absent') return { ...state, mount: requireV2(await mount(reader, ref), ref) };
  if ('error' in entry) throw entry.error;
  return { ...state, mount: entry.mount };
}

async function mount(reader: Reader, ref: MountRef): Promise<Mount> {
  return mountEntry(await reader.get(ref.namespace, entryPath(ref), `the mount ${formatMount(ref)}`), ref);
}

/** Depth first, one folder at a time. The entry is compared before and after: another mount of that name looks empty. */
async function* list(
  reader: Reader,
  ref: MountRef,
  pace: () => Promise<void> = async () => undefined,
): AsyncGenerator<string> {
  await pace();
  const before = requireV2(await mount(reader, ref), ref);
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    await pace();
    const below = folder;
    const keys = await listFolder(reader, ref, below);
    yield* keys.filter((key) => !key.endsWith('/')).map((key) => below + key);
    folders.push(
      ...keys
        .filter((key) => key.endsWith('/'))
        .map((key) => below + key)
        .reverse(),
    );
  }
  await pace();
  const after = requireV2(await mount(reader, ref), ref);
  if (after.accessor !== before.accessor) {
    throw new ReplicationError(
      'source_unavailable',
      `the mount ${formatMount(ref)} was replaced while it was listed; list it again`,
    );
  }
}

async function listFolder(reader: Reader, ref: MountRef, folder: string): Promise<readonly string[]> {
  const what = `the list of ${formatMount(ref)}/${folder}`;
  const answer = await reader.get(ref.namespace, listPath(ref, folder), what, MAX_LIST_BYTES);
  if (answer.status === 403)
    throw await reader.refusal(ref.namespace, what, policyLine(ref, `metadata/${folder}*`, 'list'));
  return listedKeys(answer, what);
}

function requireV2(entry: Mount, ref: MountRef): Mount {
  if (entry.kv === 2) return entry;
  throw new ReplicationError(
    'mount_version_mismatch',
    `the mount ${formatMount(ref)} is KV version 1, and only version 2 is replicated; upgrade it with "kv enable-versioning", or drop its route`,
  );
}

const isMismatch = (error: unknown): boolean =>
  error instanceof ReplicationError && error.code === 'mount_version_mismatch';

/** The policy that lacks, as it is written in the policy's own namespace or above it. */
function policyLine({ namespace, mount }: MountRef, below: string, capability: string): string {
  const path = [...(namespace === '' ? [] : [namespace]), mount, below].join('/');
  return `path ${JSON.stringify(path)} { capabilities = ["${capability}"] }`;
}

/** Waits for both of two requests without leaving the other's rejection to nobody. */
const settle = (pending: Promise<Mount>): Promise<{ mount: Mount } | { error: unknown }> =>
  pending.then(
    (mount) => ({ mount }),
    (error: unknown) => ({ error }),
  );
