import { ReplicationError } from '../errors.ts';
import { memberText, renderValue } from '../json-text.ts';
import { formatMount, type MountRef } from '../replicate/ref.ts';
import type { Absent, Mount, PresentV1, PresentV2, SourceVersion } from '../replicate/source.ts';
import { compactTime } from '../replicate/version-id.ts';
import { Sensitive } from '../sensitive.ts';
import type { Answer } from './transport.ts';

/** What a read of a value says before the mount's entry is known. */
export type Found = Omit<PresentV2, 'mount'> | Omit<Absent, 'mount'>;
type FoundV1 = Omit<PresentV1, 'mount'> | Omit<Absent, 'mount'>;

/** The answer's JSON, undefined when it is none. */
export function json(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text.reveal());
  } catch {
    return undefined;
  }
}

/** The member at `path` of parsed JSON, undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

/** An answer that proves nothing; `what` names the ref, mount or folder that was asked for. */
const inconclusive = (answer: Answer, what: string, hint = 'it is asked again'): ReplicationError =>
  new ReplicationError(
    'source_unavailable',
    `Vault answered ${answer.status} for ${what}, which proves nothing; ${hint}`,
  );

/**
 * Reads the answer to GET data/PATH of KV v2. `now` is in milliseconds since the epoch. Of a 200, a deletion_time counts
 * once it is past (under delete_version_after it lies ahead); of a 404 at once, since Vault has already judged by its own
 * clock. Throws source_unavailable for everything that proves neither presence nor absence.
 */
export function found(answer: Answer, what: string, now: number): Found {
  const body = json(answer);
  if (answer.status === 404) return absence(body) ?? fail(answer, what);
  const version = answer.status === 200 ? sourceVersion(body) : undefined;
  const deletion = deletionTime(body);
  if (version === undefined || deletion === undefined) return fail(answer, what);
  const due = deletion !== '' && Date.parse(deletion) <= now;
  if (due || isDestroyed(body)) return absence(body) ?? fail(answer, what);
  const value = valueText(answer, at(body, 'data', 'data'), ['data', 'data']);
  if (at(body, 'data', 'data') === null) throw withoutObject(what);
  return value === undefined ? fail(answer, what) : { kind: 'present', ...version, value: new Sensitive(value) };
}

/** Reads the answer to GET PATH of KV v1, which has a value or has none. Throws source_unavailable for all else. */
export function foundV1(answer: Answer, what: string): FoundV1 {
  const body = json(answer);
  if (answer.status === 404) {
    const gone = absence(body);
    return gone?.why === 'purged' ? gone : fail(answer, what);
  }
  const value = answer.status === 200 ? valueText(answer, at(body, 'data'), ['data']) : undefined;
  return value === undefined ? fail(answer, what) : { kind: 'present', value: new Sensitive(value) };
}

function fail(answer: Answer, what: string): never {
  throw inconclusive(answer, what);
}

/** A version can be written with `"data": null`: it is there, and has nothing to copy. */
const withoutObject = (what: string) =>
  new ReplicationError(
    'value_unrepresentable',
    `the current version of ${what} holds null and no object, so there is nothing to copy; write an object`,
  );

/** The object as it stands in the text. */
const valueText = (answer: Answer, value: unknown, path: readonly string[]): string | undefined => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const raw = isObject ? memberText(answer.text.reveal(), path) : undefined;
  return raw === undefined ? undefined : renderValue(raw);
};

/** The absence that the JSON of a 404 proves, if it proves one. */
export function absence(body: unknown): Omit<Absent, 'mount'> | undefined {
  const errors = at(body, 'errors');
  if (Array.isArray(errors)) {
    return errors.length === 0 && at(body, 'data') === undefined ? { kind: 'absent', why: 'purged' } : undefined;
  }
  const latest = sourceVersion(body);
  const deletion = deletionTime(body);
  if (latest === undefined || deletion === undefined) return undefined;
  if (isDestroyed(body)) {
    return { kind: 'absent', why: 'destroyed', latest, ...(deletion === '' ? {} : { deletionTime: deletion }) };
  }
  return deletion === '' ? undefined : { kind: 'absent', why: 'deleted', latest, deletionTime: deletion };
}

const isDestroyed = (body: unknown): boolean => at(body, 'data', 'metadata', 'destroyed') === true;

/** "" for a version that was not deleted; undefined where the metadata says nothing readable. */
function deletionTime(body: unknown): string | undefined {
  const time = at(body, 'data', 'metadata', 'deletion_time');
  return time === '' || isTime(time) ? time : undefined;
}

const isTime = (value: unknown): value is string => typeof value === 'string' && !Number.isNaN(Date.parse(value));

function sourceVersion(body: unknown): SourceVersion | undefined {
  const version = at(body, 'data', 'metadata', 'version');
  const createdTime = at(body, 'data', 'metadata', 'created_time');
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return undefined;
  return typeof createdTime === 'string' && compactTime(createdTime) !== undefined
    ? { version, createdTime }
    : undefined;
}

/**
 * Reads the answer to GET sys/internal/ui/mounts/MOUNT. Vault also answers for a path below another mount, so the entry's
 * own path is compared. Throws mount_version_mismatch for a mount that is not KV, source_unavailable for the rest: after
 * a 404 of a secret, a mount that does not show itself proves nothing.
 */
export function mountEntry(answer: Answer, ref: MountRef): Mount {
  const what = `the mount ${formatMount(ref)}`;
  if (answer.status !== 200) {
    throw inconclusive(
      answer,
      what,
      'check that the mount exists, and that the token is valid and has a policy on a path below it',
    );
  }
  const body = json(answer);
  const accessor = at(body, 'data', 'accessor');
  const type = at(body, 'data', 'type');
  const itself = [`${ref.mount}/`, `${ref.namespace}/${ref.mount}/`].some((path) => path === at(body, 'data', 'path'));
  if (!itself || typeof accessor !== 'string' || accessor === '' || typeof type !== 'string') {
    throw inconclusive(answer, what, 'no mount of that name was described; check the route');
  }
  return { accessor, kv: kvVersion(type, at(body, 'data', 'options', 'version'), what) };
}

function kvVersion(type: string, version: unknown, what: string): 1 | 2 {
  if ((type === 'kv' || type === 'generic') && (version === undefined || version === '1')) return 1;
  if (type === 'kv' && version === '2') return 2;
  throw new ReplicationError(
    'mount_version_mismatch',
    `${what} is of type ${JSON.stringify(type)}, not KV version 1 or 2; route a KV mount`,
  );
}

/** The keys of a LIST; an empty folder answers 404 as an absent secret does. Throws source_unavailable otherwise. */
export function listedKeys(answer: Answer, what: string): readonly string[] {
  const body = json(answer);
  if (answer.status === 404 && absence(body)?.why === 'purged') return [];
  const keys = at(body, 'data', 'keys');
  if (answer.status !== 200 || !Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    return fail(answer, what);
  }
  return keys;
}
