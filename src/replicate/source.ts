import type { Sensitive } from '../sensitive.ts';
import type { MountRef, SecretRef } from './ref.ts';

/** What names one version of a KV v2 secret. The number alone does not: a purge restarts it at 1. */
export interface SourceVersion {
  readonly version: number;
  /** RFC 3339 as Vault spells it, up to nanoseconds. */
  readonly createdTime: string;
}

/** A mount's entry: the accessor names this incarnation of it. */
export interface Mount {
  readonly accessor: string;
  readonly kv: 1 | 2;
}

export interface Present extends SourceVersion {
  readonly kind: 'present';
  readonly mount: Mount;
  /** The JSON object as it will be written to the destination. */
  readonly value: Sensitive<string>;
}

/** Proven absence. `purged` says that no metadata is left, so there is no version to tell. */
export interface Absent {
  readonly kind: 'absent';
  readonly mount: Mount;
  readonly why: 'deleted' | 'destroyed' | 'purged';
  readonly deletionTime?: string;
  readonly latest?: SourceVersion;
}

/** What Vault says now. */
export type SourceState = Present | Absent;

/** Where secrets come from. Everything unexpected is thrown as a ReplicationError. */
export interface Source {
  /** Throws source_unavailable, source_forbidden or mount_version_mismatch when presence and absence are both unproven. */
  read(ref: SecretRef): Promise<SourceState>;
  /** The paths of all secrets below the mount, folders walked. Throws when any LIST fails: a listing is whole or none. */
  list(mount: MountRef): AsyncIterable<string>;
}
