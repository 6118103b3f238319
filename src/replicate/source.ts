import type { ReplicationError } from '../errors.ts';
import type { Sensitive } from '../sensitive.ts';
import type { MountRef, SecretRef } from './ref.ts';

/** What names one version of a KV v2 secret. The number alone does not: a purge restarts it at 1. */
export interface SourceVersion {
  readonly version: number;
  /** RFC 3339 as Vault spells it, up to nanoseconds. */
  readonly createdTime: string;
}

interface MountOf<Kv extends 1 | 2> {
  /** Names this incarnation of the mount; an upgrade to version 2 keeps it. */
  readonly accessor: string;
  readonly kv: Kv;
}

/** A mount's entry. */
export type Mount = MountOf<1> | MountOf<2>;

interface PresentValue<Kv extends 1 | 2> {
  readonly kind: 'present';
  readonly mount: MountOf<Kv>;
  /** The JSON object as it will be written to the destination. */
  readonly value: Sensitive<string>;
}

/** A KV v1 secret has a value and nothing else: no version and no time tell it from what it was. */
export type PresentV1 = PresentValue<1>;
export type PresentV2 = PresentValue<2> & SourceVersion;
export type Present = PresentV1 | PresentV2;

/** What metadata says of a present KV v2 secret; the value was not read. */
export type PresentUnread = Omit<PresentV2, 'value'>;

/** Proven absence. `purged` says that no metadata is left, so there is no version to tell; so it is always in KV v1. */
export interface Absent {
  readonly kind: 'absent';
  readonly mount: Mount;
  readonly why: 'deleted' | 'destroyed' | 'purged';
  readonly deletionTime?: string;
  readonly latest?: SourceVersion;
}

/** What Vault says now. */
export type SourceState = Present | Absent;

/** The newest version that Vault tells of; undefined after a purge, and in KV v1. */
export function newestVersion(source: SourceState): SourceVersion | undefined {
  if (source.kind === 'absent') return source.latest;
  return isVersioned(source) ? source : undefined;
}

export const isVersioned = (source: Present): source is PresentV2 => source.mount.kv === 2;

/** A mount's secrets, none of their values read. */
export interface Survey {
  readonly mount: Mount;
  /** Throws when a listing fails, or when the mount was replaced meanwhile. */
  readonly secrets: AsyncIterable<Surveyed>;
  /** What the policy does not show; known once the secrets were read to their end. */
  readonly hidden: readonly Hidden[];
}

/** A folder, ending in "/", that may not be listed; or the metadata of secrets that were listed, in the whole mount (""). */
export interface Hidden {
  readonly what: 'folder' | 'metadata';
  readonly folder: string;
  readonly error: ReplicationError;
}

export interface Surveyed {
  readonly path: string;
  /** Undefined where metadata does not tell: a look is needed. */
  readonly state?: PresentUnread | Absent;
}

/** Where secrets come from. Everything unexpected is thrown as a ReplicationError. */
export interface Source {
  /** Throws source_unavailable, source_forbidden or mount_version_mismatch when presence and absence are both unproven. */
  read(ref: SecretRef): Promise<SourceState>;
  /** The paths of all secrets below the mount, folders walked. Throws when any LIST fails: a listing is whole or none. */
  list(mount: MountRef): AsyncIterable<string>;
  /** All secrets below the mount that are `wanted`, with what their metadata says. */
  survey(mount: MountRef, wanted: (path: string) => boolean): Promise<Survey>;
}
