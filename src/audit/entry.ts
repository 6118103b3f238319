import { isObject, isText, type JsonObject, objectOr, parseJson } from './json.ts';
import { holdsRawValues } from './raw-values.ts';
import { trimSlashes } from './slashes.ts';
import { isUtcTime } from './time.ts';

const OPEN = 0x7b;
/** Vault's are UUIDs. A forged one must not fill a message. */
const MAX_REQUEST_ID = 128;

/** What an audit entry says, as far as it is of use here. Absent is absent: no field is ever empty but namespace. */
export interface AuditEntry {
  readonly type: 'request' | 'response';
  readonly error?: string;
  /** RFC 3339 in UTC, up to nanoseconds, as the entry spells it; so is createdTime. */
  readonly time?: string;
  readonly requestId?: string;
  readonly operation: string;
  /** Absent in entries of old servers, as is mountPoint. */
  readonly mountType?: string;
  /** As written: it ends in a slash, and may have the namespace in front. */
  readonly mountPoint?: string;
  /** Without outer slashes, "" is the root. */
  readonly namespace: string;
  readonly path: string;
  /** `version` and `created_time` of the response's data: what a KV v2 write made. */
  readonly version?: number;
  readonly createdTime?: string;
  /** Plaintext in the data of a KV entry: the device has log_raw on. */
  readonly rawValues: boolean;
}

/**
 * Reads a line as an entry of Vault's or OpenBao's audit device, whatever `prefix` stands before its first `{`.
 * Undefined when it is none; never throws, and no part of a line ends up in an error. A valid entry proves that a
 * connection speaks this format.
 */
export function parseEntry(line: Buffer): AuditEntry | undefined {
  const open = line.indexOf(OPEN);
  return open < 0 ? undefined : toEntry(parseJson(line.toString('utf8', open)));
}

function toEntry(value: unknown): AuditEntry | undefined {
  if (!isObject(value)) return undefined;
  const { type, request, response } = value;
  if ((type !== 'request' && type !== 'response') || !isObject(request)) return undefined;
  const { operation, path } = request;
  const namespace = namespaceOf(request['namespace']);
  if (!isText(operation) || !isText(path) || namespace === undefined) return undefined;
  if (!isWellFormed(path) || !isWellFormed(namespace)) return undefined;
  const { data } = objectOr(response);
  const rawValues = isKv(request['mount_type']) && (holdsRawValues(request['data']) || holdsRawValues(data));
  const entry: Writable<AuditEntry> = { type, operation, namespace, path, rawValues };
  addHints(entry, value, request, objectOr(data));
  return entry;
}

/** By hand, since this is the way of each line of interest: an object made of pairs costs as much as its parse. */
function addHints(
  entry: Writable<AuditEntry>,
  { error, time }: JsonObject,
  request: JsonObject,
  made: JsonObject,
): void {
  const { id, mount_type: mountType, mount_point: mountPoint } = request;
  const { version, created_time: createdTime } = made;
  if (isText(error)) entry.error = error;
  if (isTime(time)) entry.time = time;
  if (isText(id) && id.length <= MAX_REQUEST_ID) entry.requestId = id;
  if (isText(mountType)) entry.mountType = mountType;
  if (isText(mountPoint)) entry.mountPoint = mountPoint;
  if (isVersion(version)) entry.version = version;
  if (isTime(createdTime)) entry.createdTime = createdTime;
}

/** Old entries do not say the type: whatever they hold may be KV's. */
const isKv = (mountType: unknown): boolean => mountType === undefined || mountType === 'kv' || mountType === 'generic';

/** Go writes no path for the root namespace. Undefined where no namespace of Vault's stands. */
function namespaceOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  if (!isObject(value)) return undefined;
  const path = value['path'] ?? '';
  return typeof path === 'string' ? trimSlashes(path) : undefined;
}

/** Go's strings are UTF-8, so it never writes a lone surrogate; no such path can be asked of Vault. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

const isTime = (value: unknown): value is string => typeof value === 'string' && isUtcTime(value);

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
