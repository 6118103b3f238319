import { isObject } from './json.ts';
import { isUtcTime } from './time.ts';

const HMAC = 'hmac-sha256:';

/**
 * Keys of a KV request or response that hold no secret value: `audit_non_hmac_request_keys` and `_response_keys` (which
 * name top-level keys) may rightly leave them readable. A KV v1 secret may use the names too; its other keys tell.
 */
const READABLE = new Set(
  (
    'created_time custom_metadata delete_version_after deletion_time error http_content_type key_info keys metadata ' +
    'options updated_time version versions'
  ).split(' '),
);

/**
 * Whether a string in the `data` of a KV request or response is plaintext, which a device does only with log_raw.
 * Vault HMACs every string there but times; numbers and booleans are always readable.
 */
export function holdsRawValues(data: unknown): boolean {
  if (!isObject(data)) return false;
  // A list, not recursion: a forged line may nest deeper than the stack.
  const open: unknown[] = [];
  for (const key of Object.keys(data)) if (!READABLE.has(key)) open.push(data[key]);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string' && isRaw(value)) return true;
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) open.push(inner);
  }
  return false;
}

const isRaw = (text: string): boolean => text !== '' && !text.startsWith(HMAC) && !isUtcTime(text);
