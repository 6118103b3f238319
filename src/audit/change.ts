import { isVaultPath, longestMount, type MountRef, type SecretRef } from '../replicate/ref.ts';
import type { AuditEntry } from './entry.ts';
import { changedSecret, isWrite } from './kv.ts';
import { isRefused } from './refused.ts';
import { below, trimSlashes } from './slashes.ts';

/** What the entry says beside the ref. Only hints: the worker asks Vault whatever they say. */
export interface ChangeHints {
  /** Of the version that a KV v2 write made. */
  readonly version?: number;
  /** RFC 3339 in UTC, up to nanoseconds; so is auditTime. */
  readonly createdTime?: string;
  readonly auditTime?: string;
  readonly requestId?: string;
  /** The secret was purged: a bare 404 is what this entry's look should find. */
  readonly purge?: true;
}

/**
 * Why nothing is done about an entry. `read`: the operation writes nothing; `no_change`: it leaves all secrets alone;
 * `no_path`: Vault has no secret of that path, whoever wrote the line; `path_too_long`: no name in AWS could hold it.
 */
type Why = 'request' | 'read' | 'refused' | 'other_mount' | 'not_kv' | 'no_change' | 'no_path' | 'path_too_long';

/**
 * Names in Secrets Manager have at most 512 characters, so of a path that is somewhat longer the worker says that it has
 * no valid name. One that is longer than this may be a megabyte that somebody made up: only a sweep looks whether Vault
 * has it, away from the socket.
 */
const MAX_PATH = 2_048;

type SweepReason = 'mounts' | 'remount' | 'snapshot_restore' | 'kv_version_unknown';

/** What an audit entry means for the routed secrets. */
export type Reading =
  | { readonly kind: 'change'; readonly ref: SecretRef; readonly kv: 1 | 2; readonly hints: ChangeHints }
  | { readonly kind: 'sweep'; readonly reason: SweepReason; readonly mount?: MountRef }
  | { readonly kind: 'nothing'; readonly why: Why };

interface ChangeReaderOptions {
  /** The routed mounts; namespace and mount without outer slashes. */
  readonly routes: readonly MountRef[];
  /** A routed mount's KV version, undefined while it is not known. */
  readonly kvVersion: (mount: MountRef) => 1 | 2 | undefined;
}

const RESTORES = ['sys/storage/raft/snapshot', 'sys/storage/raft/snapshot-force'];
const SYSTEM_TYPES = ['system', 'ns_system'];
/** Vault's type of a KV mount, and what it was called before 0.8. */
const KV_TYPES = ['kv', 'generic'];

const nothing = (why: Why): Reading => ({ kind: 'nothing', why });

/** Reads entries by DESIGN's "Audit entries": total and pure, so that a forged entry can at most cause a look. */
export function createChangeReader({ routes, kvVersion }: ChangeReaderOptions): (entry: AuditEntry) => Reading {
  return (entry) => {
    if (entry.type === 'request') return nothing('request'); // written before the commit
    if (!isWrite(entry.operation)) return nothing('read');
    if (entry.error !== undefined && isRefused(entry.error)) return nothing('refused');
    const systemPath = systemPathOf(entry);
    if (systemPath !== undefined) return readSystem(routes, entry.namespace, systemPath);
    if (entry.mountType !== undefined && !KV_TYPES.includes(entry.mountType)) return nothing('not_kv');
    const place = locate(routes, entry);
    return place === undefined ? nothing('other_mount') : readKv(entry, place, kvVersion(place.mount));
  };
}

/** Without the namespace that some servers put in front of a path or mount point. */
const withoutNamespace = (namespace: string, path: string): string =>
  namespace === '' ? path : (below(namespace, path) ?? path);

function systemPathOf({ mountType, namespace, path }: AuditEntry): string | undefined {
  if (path.startsWith('sys/')) return path;
  return mountType !== undefined && SYSTEM_TYPES.includes(mountType) ? withoutNamespace(namespace, path) : undefined;
}

function readSystem(routes: readonly MountRef[], namespace: string, path: string): Reading {
  if (path === 'sys/remount') return { kind: 'sweep', reason: 'remount' }; // from and to are HMACed: it may be ours
  if (RESTORES.includes(path)) return { kind: 'sweep', reason: 'snapshot_restore' };
  const target = below('sys/mounts', path);
  // A routed mount itself or anything below it, such as `tune`; longestMount wants a path below.
  const mount = target && longestMount(routes, namespace, `${trimSlashes(target)}/tune`);
  return mount ? { kind: 'sweep', reason: 'mounts', mount: { namespace, mount } } : nothing('other_mount');
}

/** Where in which routed mount an entry's path lies. */
interface Place {
  readonly mount: MountRef;
  readonly path: string;
}

/**
 * In a namespace, mount_point and path each come with or without it in front, and a mount may be called like its
 * namespace: so every spelling is tried, and the first that fits a routed mount by whole segments is the place.
 */
function locate(routes: readonly MountRef[], { namespace, path, mountPoint }: AuditEntry): Place | undefined {
  const bare = withoutNamespace(namespace, path);
  const candidates =
    mountPoint === undefined
      ? [path, bare].map((whole) => ({ mount: longestMount(routes, namespace, whole), whole }))
      : spellings(namespace, trimSlashes(mountPoint), path, bare);
  for (const { mount, whole } of candidates) {
    const rest = mount === undefined ? undefined : below(mount, whole);
    if (mount !== undefined && rest !== undefined && isRouted(routes, namespace, mount)) {
      return { mount: { namespace, mount }, path: rest };
    }
  }
  return undefined;
}

function spellings(namespace: string, point: string, path: string, bare: string) {
  const mount = withoutNamespace(namespace, point);
  return [
    { mount, whole: path },
    { mount: point, whole: path },
    { mount, whole: bare },
  ];
}

const isRouted = (routes: readonly MountRef[], namespace: string, mount: string): boolean =>
  routes.some((route) => route.mount === mount && route.namespace === namespace);

function readKv(entry: AuditEntry, { mount, path }: Place, kv: 1 | 2 | undefined): Reading {
  const { operation } = entry;
  if (kv === undefined) {
    const readings = ([1, 2] as const).flatMap((version) => changedSecret(version, operation, path) ?? []);
    if (readings.length === 0) return nothing('no_change');
    if (readings.every((secret) => secret.length > MAX_PATH)) return nothing('path_too_long');
    return { kind: 'sweep', reason: 'kv_version_unknown', mount };
  }
  const secret = changedSecret(kv, operation, path);
  if (secret === undefined) return nothing('no_change');
  if (secret.length > MAX_PATH) return nothing('path_too_long');
  if (!isVaultPath(secret)) return nothing('no_path');
  const purge = kv === 2 && operation === 'delete' && path.startsWith('metadata/');
  return { kind: 'change', ref: { ...mount, path: secret }, kv, hints: hintsOf(entry, kv, purge) };
}

/** KV v1 has no versions, so whatever looks like one there is the secret's own. */
function hintsOf({ version, createdTime, time, requestId }: AuditEntry, kv: 1 | 2, purge: boolean): ChangeHints {
  const hints: { -readonly [Key in keyof ChangeHints]: ChangeHints[Key] } = {};
  if (kv === 2 && version !== undefined) hints.version = version;
  if (kv === 2 && createdTime !== undefined) hints.createdTime = createdTime;
  if (time !== undefined) hints.auditTime = time;
  if (requestId !== undefined) hints.requestId = requestId;
  if (purge) hints.purge = true;
  return hints;
}
