import type { MountRef } from '../../src/replicate/ref.ts';

/** Builders of audit entries and the ways their JSON is written by servers and by shippers. */

export interface Written {
  readonly type?: string;
  readonly error?: unknown;
  readonly operation?: string;
  readonly namespace?: string;
  readonly mountType?: string | undefined;
  readonly mountPoint?: string | undefined;
  readonly path?: string;
  readonly requestData?: unknown;
  readonly responseData?: unknown;
}

export const TIME = '2026-11-24T22:03:14.520897846Z';
export const REQUEST_ID = '773157c2-3904-0716-04ab-4e4a09c2bcf7';

/** An entry in the order and with the fields that OpenBao writes. */
export function entryOf(written: Written): Record<string, unknown> {
  const { type = 'response', namespace = '', operation = 'update', path = 'kv/data/app', ...rest } = written;
  const mountPoint = 'mountPoint' in rest ? rest.mountPoint : 'kv/';
  return {
    time: TIME,
    type,
    auth: { display_name: 'root', policies: ['root'], token_type: 'service' },
    request: {
      id: REQUEST_ID,
      operation,
      mount_point: mountPoint,
      mount_type: 'mountType' in rest ? rest.mountType : 'kv',
      namespace: namespace === '' ? { id: 'root' } : { id: 'WPU12G', path: `${namespace}/` },
      path,
      data: rest.requestData,
    },
    response: { mount_point: mountPoint, data: rest.responseData },
    error: rest.error,
  };
}

/** An entry about the path below a mount. */
export const kvEntry = ({ namespace, mount }: MountRef, operation: string, below: string, more: Written = {}) =>
  entryOf({ namespace, operation, mountPoint: `${mount}/`, path: `${mount}/${below}`, ...more });

const unicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

const spaced = (value: unknown): string => JSON.stringify(value, null, 1).replace(/\n */g, ' ');

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** Go's encoding/json, JSON.stringify, and what other encoders on the way to us do to strings, spaces and order. */
export const ENCODERS: Readonly<Record<string, (value: unknown) => string>> = {
  go: (value) => JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, unicode),
  compact: (value) => JSON.stringify(value),
  spaced,
  sorted,
  ascii: (value) => JSON.stringify(value).replace(/[^\x20-\x7e]/g, unicode),
  asciiSpaced: (value) => spaced(value).replace(/[^\x20-\x7e]/g, unicode),
  escapedSlashes: (value) => JSON.stringify(value).replaceAll('/', '\\/'),
  unicodeSlashes: (value) => JSON.stringify(value).replaceAll('/', '\\u002f'),
};
