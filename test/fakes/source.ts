import type { Clock } from '../../src/clock.ts';
import { ReplicationError } from '../../src/errors.ts';
import { formatRef, type MountRef, type SecretRef } from '../../src/replicate/ref.ts';
import {
  type Hidden,
  isVersioned,
  type Mount,
  type Source,
  type SourceState,
  type SourceVersion,
  type Surveyed,
} from '../../src/replicate/source.ts';
import { Sensitive } from '../../src/sensitive.ts';

interface Version extends SourceVersion {
  readonly value: string;
  deletionTime?: string;
  destroyed?: true;
}

/** Everything that Vault stores, as it was at one moment. */
export interface Snapshot {
  readonly secrets: Map<string, Version[]>;
  readonly mounts: Map<string, Mount>;
}

export interface FakeSource extends Source {
  /** The refs that were read, in order. */
  readonly reads: readonly string[];
  write(ref: SecretRef, value: string): SourceVersion;
  /** Soft delete of the newest version; in KV v1 it is gone. */
  delete(ref: SecretRef): void;
  undelete(ref: SecretRef): void;
  destroy(ref: SecretRef): void;
  /** Deletes the metadata: the next write begins at version 1, later. */
  purge(ref: SecretRef): void;
  enable(mount: MountRef, kv?: 1 | 2): Mount;
  /** From KV v1 to v2 in place: the accessor stays, and each secret becomes its version 1. */
  upgrade(mount: MountRef): Mount;
  disable(mount: MountRef): void;
  snapshot(): Snapshot;
  /** A standby that is as far as the snapshot answers the next `reads` reads. */
  answerStale(snapshot: Snapshot, reads: number): void;
  /** The operator restores a snapshot: Vault itself goes back. */
  restore(snapshot: Snapshot): void;
  /** From now on a survey may not list this folder, which ends in "/". */
  hide(folder: string, error: ReplicationError): void;
  /** From now on no metadata is shown. */
  hideMetadata(error: ReplicationError): void;
  /** Runs once, at the next read, after Vault has answered and before the caller knows. */
  afterRead(hook: () => void | Promise<void>): void;
}

const keyOf = ({ namespace, mount, path }: SecretRef) => JSON.stringify([namespace, mount, path]);
const mountKey = ({ namespace, mount }: MountRef) => JSON.stringify([namespace, mount]);

/** KV of Vault's behind the port, v2 unless enabled as v1. Created times are the clock's, told apart in their nanoseconds. */
export function fakeSource(clock: Pick<Clock, 'now'>, ...mounts: readonly MountRef[]): FakeSource {
  let stored: Snapshot = { secrets: new Map(), mounts: new Map() };
  let stale: { readonly snapshot: Snapshot; reads: number } | undefined;
  let hook: (() => void | Promise<void>) | undefined;
  let serial = 0;
  const reads: string[] = [];
  const hidden: Hidden[] = [];

  const newest = (ref: SecretRef): Version => {
    const version = stored.secrets.get(keyOf(ref))?.at(-1);
    if (version === undefined) throw new Error('the test names a secret that was never written');
    return version;
  };
  const answering = (): Snapshot => {
    if (stale === undefined || stale.reads === 0) return stored;
    stale.reads -= 1;
    return stale.snapshot;
  };
  const enable = (mount: MountRef, kv: 1 | 2 = 2): Mount => {
    serial += 1;
    const entry: Mount = { accessor: `kv_${String(serial).padStart(8, '0')}`, kv };
    stored.mounts.set(mountKey(mount), entry);
    return entry;
  };
  const isHidden = (path: string) => hidden.some(({ what, folder }) => what === 'folder' && path.startsWith(folder));
  const isUnread = () => hidden.some(({ what }) => what === 'metadata');
  const isV1 = (ref: MountRef): boolean => stored.mounts.get(mountKey(ref))?.kv === 1;
  for (const mount of mounts) enable(mount);

  return {
    reads,
    write(ref, value) {
      serial += 1;
      const versions = isV1(ref) ? [] : (stored.secrets.get(keyOf(ref)) ?? []);
      const createdTime = goTime(clock.now(), serial);
      versions.push({ version: (versions.at(-1)?.version ?? 0) + 1, createdTime, value });
      stored.secrets.set(keyOf(ref), versions);
      return { version: versions.length, createdTime };
    },
    delete(ref) {
      if (isV1(ref)) stored.secrets.delete(keyOf(ref));
      else newest(ref).deletionTime = goTime(clock.now(), ++serial);
    },
    undelete(ref) {
      delete newest(ref).deletionTime;
    },
    destroy(ref) {
      newest(ref).destroyed = true;
    },
    purge(ref) {
      stored.secrets.delete(keyOf(ref));
    },
    enable,
    upgrade(mount) {
      const entry: Mount = { ...mountIn(stored, { ...mount, path: '' }), kv: 2 };
      stored.mounts.set(mountKey(mount), entry);
      return entry;
    },
    disable(mount) {
      stored.mounts.delete(mountKey(mount));
      for (const key of stored.secrets.keys()) {
        if (isBelow(key, mount)) stored.secrets.delete(key);
      }
    },
    snapshot: () => structuredClone(stored),
    answerStale(snapshot, count) {
      stale = { snapshot, reads: count };
    },
    restore(snapshot) {
      stored = structuredClone(snapshot);
    },
    afterRead(next) {
      hook = next;
    },
    async read(ref) {
      reads.push(formatRef(ref));
      const state = stateIn(answering(), ref);
      const run = hook;
      hook = undefined;
      await run?.();
      return state;
    },
    hide: (folder, error) => void hidden.push({ what: 'folder', folder, error }),
    hideMetadata: (error) => void hidden.push({ what: 'metadata', folder: '', error }),
    async survey(ref, wanted) {
      const { mounts } = stored;
      const mount = mountIn(stored, { ...ref, path: '' });
      async function* secrets() {
        for (const key of [...stored.secrets.keys()].filter((each) => isBelow(each, ref))) {
          const path = String(JSON.parse(key)[2]);
          if (!wanted(path) || !stored.secrets.has(key) || isHidden(path)) continue;
          const state = stateIn(stored, { ...ref, path });
          yield isUnread() ? { path } : surveyed(path, state);
        }
        if (stored.mounts.get(mountKey(ref))?.accessor !== mounts.get(mountKey(ref))?.accessor) {
          throw new ReplicationError('source_unavailable', 'the mount was replaced');
        }
      }
      return { mount, hidden, secrets: secrets() };
    },
    async *list(mount) {
      mountIn(stored, { ...mount, path: '' });
      for (const key of stored.secrets.keys()) {
        if (isBelow(key, mount)) yield String(JSON.parse(key)[2]);
      }
    },
  };
}

/** A listing of KV v1 does not tell whether a secret has changed. */
function surveyed(path: string, state: SourceState): Surveyed {
  if (state.kind === 'absent') return { path, state };
  if (!isVersioned(state)) return { path };
  const { kind, version, createdTime, mount } = state;
  return { path, state: { kind, version, createdTime, mount } };
}

const isBelow = (key: string, { namespace, mount }: MountRef): boolean =>
  key.startsWith(`${JSON.stringify([namespace, mount]).slice(0, -1)},`);

function mountIn({ mounts }: Snapshot, ref: SecretRef): Mount {
  const mount = mounts.get(mountKey(ref));
  if (mount === undefined) throw new ReplicationError('source_unavailable', `no mount for ${formatRef(ref)}`);
  return mount;
}

function stateIn(snapshot: Snapshot, ref: SecretRef): SourceState {
  const mount = mountIn(snapshot, ref);
  const newest = snapshot.secrets.get(keyOf(ref))?.at(-1);
  if (newest === undefined) return { kind: 'absent', why: 'purged', mount };
  const { version, createdTime, value, deletionTime, destroyed } = newest;
  if (mount.kv === 1) return { kind: 'present', mount, value: new Sensitive(value) };
  const latest = { version, createdTime };
  if (destroyed) return { kind: 'absent', why: 'destroyed', latest, mount };
  if (deletionTime !== undefined) return { kind: 'absent', why: 'deleted', latest, deletionTime, mount };
  return { kind: 'present', ...latest, mount, value: new Sensitive(value) };
}

/** As Go writes it: nanoseconds without trailing zeros. */
function goTime(ms: number, nanoseconds: number): string {
  const fraction = `${String(ms % 1000).padStart(3, '0')}${String(nanoseconds).padStart(6, '0')}`.replace(/0+$/, '');
  return `${new Date(ms).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}
