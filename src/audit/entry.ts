import { isObject, type JsonObject, objectOr, parseJson, textOf } from './json.ts';
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
  const operation = textOf(request['operation']);
  const path = wellFormed(textOf(request['path']));
  const namespace = wellFormed(namespaceOf(request['namespace']));
  if (operation === undefined || path === undefined || namespace === undefined) return undefined;
  return {
    type,
    operation,
    namespace,
    path,
    ...hints(value, request, objectOr(response)),
    rawValues: isKv(request['mount_type']) && [request, objectOr(response)].some(({ data }) => holdsRawValues(data)),
  };
}

function hints(entry: JsonObject, request: JsonObject, response: JsonObject): Partial<AuditEntry> {
  const made = objectOr(response['data']);
  const requestId = textOf(request['id']);
  return present({
    error: textOf(entry['error']),
    time: timeOf(entry['time']),
    requestId: requestId !== undefined && requestId.length <= MAX_REQUEST_ID ? requestId : undefined,
    mountType: textOf(request['mount_type']),
    mountPoint: textOf(request['mount_point']),
    version: versionOf(made['version']),
    createdTime: timeOf(made['created_time']),
  });
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
const wellFormed = (text: string | undefined): string | undefined =>
  text === undefined || /\p{Surrogate}/u.test(text) ? undefined : text;

const timeOf = (value: unknown): string | undefined =>
  typeof value === 'string' && isUtcTime(value) ? value : undefined;

const versionOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 ? value : undefined;

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
