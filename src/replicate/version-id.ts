import { hash } from 'node:crypto';
import type { SecretRef } from './ref.ts';
import type { SourceVersion } from './source.ts';

/** Raised when the bytes written for the same source version change: every copy is then written once more. */
const RENDERER = 1;

const CREATED_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/;
const VERSION_ID = /^v(\d{1,10})-(\d{8}T\d{15}Z)-[0-9a-f]{24}$/;
const PUT_ID = /^k1-(\d{8}T\d{15}Z)-[0-9a-f]{24}$/;

/**
 * `2026-11-24T21:40:57.2356Z` as `20261124T214057235600000Z`: digits of one width, so that text order is time order.
 * Go trims trailing zeros, hence the padding to nanoseconds. Undefined when it is no RFC 3339 time in UTC.
 */
export function compactTime(createdTime: string): string | undefined {
  const parts = CREATED_TIME.exec(createdTime);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = ''] = parts;
  return `${year}${month}${day}T${hour}${minute}${second}${fraction.padEnd(9, '0')}Z`;
}

/** The time that {@link compactTime} was given, RFC 3339 with all nine digits. */
export const spelledTime = (compact: string): string =>
  compact.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{9})Z$/, '$1-$2-$3T$4:$5:$6.$7Z');

/**
 * The ClientRequestToken, and so the VersionId, of a source version under a ref: the same version always asks for the
 * same id, which makes every retry idempotent. 32 to 64 characters of `[A-Za-z0-9-]`, as Secrets Manager wants it.
 */
export function versionId({ namespace, mount, path }: SecretRef, { version, createdTime }: SourceVersion): string {
  const rendering = JSON.stringify([RENDERER, namespace, mount, path, {}]);
  const renderingId = hash('sha256', rendering).slice(0, 24);
  return `v${version}-${compactTime(createdTime)}-${renderingId}`;
}

/**
 * The id of one put of a KV v1 secret, which has no version to name. Never of the value: a hash of a weak one could be
 * guessed. So it is another one at each try, and a try that is cut short costs a version.
 * @param now RFC 3339, UTC
 * @param fresh 24 hex digits that were never used before
 */
export const putId = (now: string, fresh: string): string => `k1-${compactTime(now)}-${fresh}`;

/** Whether it is one of ours, of either kind. */
export const isOurId = (id: string): boolean => VERSION_ID.test(id) || PUT_ID.test(id);

/** Since when the version is there: created in Vault, or of KV v1 put; as {@link compactTime}. Undefined for foreign ids. */
export const timeOfId = (id: string): string | undefined => VERSION_ID.exec(id)?.[2] ?? PUT_ID.exec(id)?.[1];

/** A version's place in time: comparable with {@link isOlder}, whatever the spelling of its created_time was. */
export interface Moment {
  readonly version: number;
  readonly time: string;
}

/** The source version that a VersionId names; undefined for ids that are not ours, and for those of KV v1. */
export function momentOfId(id: string): Moment | undefined {
  const parts = VERSION_ID.exec(id);
  if (parts === null) return undefined;
  const [, version = '', time = ''] = parts;
  return { version: Number(version), time };
}

/** The moment of a source version; undefined when its created_time cannot be read. */
export function momentOf({ version, createdTime }: SourceVersion): Moment | undefined {
  const time = compactTime(createdTime);
  return time === undefined ? undefined : { version, time };
}

/** By created_time first: a purge restarts the version numbers at 1. */
export const isOlder = (a: Moment, b: Moment): boolean =>
  a.time < b.time || (a.time === b.time && a.version < b.version);
