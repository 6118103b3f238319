import { type AuditEntry, parseEntry } from '../audit/entry.ts';
import { isObject, parseJson } from '../audit/json.ts';

/** Where shippers put the line they read: Vector and Fluentd under the first, Fluent Bit under the second. */
const KEYS = ['message', 'log'] as const;

/** No entry is shorter: `{"type":"request","request":{"path":"…","operation":"…"}}`. A parse would cost more than this. */
export const LEAST_ENTRY_BYTES = 50;

/** The audit entry, bare or as a shipper wraps it; undefined when it is none. */
export const readEntry = (line: Buffer): AuditEntry | undefined => parseEntry(line) ?? unwrapped(line);

function unwrapped(line: Buffer): AuditEntry | undefined {
  const wrapper = parseJson(line.toString());
  if (!isObject(wrapper)) return undefined;
  for (const key of KEYS) {
    const inner = wrapper[key];
    const text = isObject(inner) ? JSON.stringify(inner) : inner;
    const entry = typeof text === 'string' ? parseEntry(Buffer.from(text)) : undefined;
    if (entry !== undefined) return entry;
  }
  return undefined;
}
