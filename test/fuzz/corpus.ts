import { entryOf, kvEntry } from '../audit/entries.ts';

const KV = { namespace: '', mount: 'kv' };
const json = (value: unknown): string => JSON.stringify(value);
const deep = (open: string, close: string, depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** A plaintext value that nothing may ever show. */
export const CANARY = 'canary-5f1c';

/** Lines that somebody might send by mistake or on purpose; the last ones are what Vault sends. */
export const NASTY_LINES: readonly (string | Buffer)[] = [
  '',
  '{',
  'null',
  '[]',
  '{"type":"response"}',
  '{"type":"response","request":null,"response":null}',
  '{"type":"response","request":[],"response":[]}',
  '{"type":["response"],"request":{"operation":{},"path":[]}}',
  '[{"type":"response"}]',
  '{"type":"response","request":{"operation":"update","path":"kv/data/a","mount_type":"kv","mount_point":7}}',
  '{"type":"response","__proto__":{"request":{"operation":"update","path":"kv/data/a"}}}',
  '{"__proto__":{"type":"response"},"constructor":{"prototype":{"polluted":1}},"request":{"__proto__":null}}',
  '{"type":"request","type":"response","request":{"path":"x","path":"kv/data/a","operation":"update"}}',
  json(kvEntry(KV, 'update', 'data/__proto__')),
  json(kvEntry(KV, 'update', 'data/constructor/')),
  json(kvEntry(KV, 'update', 'data//')),
  json(kvEntry(KV, 'update', `data/${'p'.repeat(1024 * 1024)}`)),
  json(kvEntry(KV, 'update', 'data/\uD800')),
  json(kvEntry(KV, 'update', 'data/\uFFFE\uFFFF\u0000\u2028')),
  json(kvEntry({ namespace: '\uDC00', mount: 'kv' }, 'update', 'data/a')),
  json(kvEntry(KV, 'update', 'data/a', { responseData: { version: 2 ** 53, created_time: 'never' } })),
  json(kvEntry(KV, 'update', 'data/a', { responseData: { version: -1, created_time: '9999-99-99T99:99:99Z' } })),
  json(kvEntry(KV, 'update', 'data/a', { requestData: { data: { password: CANARY } }, error: {} })),
  json({ ...entryOf({}), time: {}, request: { ...kvEntry(KV, 'update', 'data/a'), id: 'x'.repeat(10_000) } }),
  deep('[', ']', 5_000),
  deep('{"type":', '}', 5_000),
  Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0xc3, 0x28]),
  Buffer.concat([
    Buffer.from('{"type":"response","request":{"operation":"update","path":"kv/data/'),
    Buffer.from([0xc0, 0x80]),
    Buffer.from('"}}'),
  ]),
  `prefix ${json(kvEntry(KV, 'update', 'data/a'))}\r`,
  json(entryOf({ path: 'sys/remount', mountType: 'system', mountPoint: 'sys/' })),
  json(entryOf({ path: 'sys/mounts/kv', mountType: 'system', mountPoint: 'sys/' })),
  json(kvEntry(KV, 'update', 'data/a', { requestData: 'DEEP' })).replace('"DEEP"', deep('[', ']', 300_000)),
  json(kvEntry(KV, 'update', 'data/a', { responseData: 'DEEP' })).replace('"DEEP"', deep('{"a":', '}', 100_000)),
  json(kvEntry(KV, 'delete', 'metadata/a')),
];

const CHANGE = { v: 1, kind: 'change', vault: 'vault', namespace: '', mount: 'kv', path: 'a', route: 'kv' };
const body = (more: object): string => json({ ...CHANGE, destination: 'default', origin: 'audit', ...more });

/** Message bodies that the queue might hold. */
export const NASTY_BODIES: readonly string[] = [
  '',
  'null',
  '[]',
  '"\\ud800"',
  '{"v":1}',
  '{"v":2,"kind":"change"}',
  deep('[', ']', 1_000),
  body({}),
  body({ vault: 'other' }),
  body({ path: 'large' }),
  body({ path: '' }),
  body({ path: '\uD800' }),
  body({ path: 'p'.repeat(200_000) }),
  body({ path: '__proto__' }),
  body({ destination: '__proto__' }),
  body({ destination: 'constructor', route: 'toString' }),
  body({ mount: '__proto__' }),
  body({ version: '1e400' }).replace('"1e400"', '1e400'),
  body({ version: 2 ** 53 + 2, createdTime: 'never', auditTime: '\u0000' }),
  body({ version: 9, createdTime: '9999-12-31T23:59:59.999999999Z', auditTime: '9999-12-31T23:59:59Z' }),
  body({ origin: 'sweep', sweepId: {} }),
  body({ extra: { [CANARY]: [] } }),
  body({}).replace('{', '{"__proto__":{"kind":"sweep"},"v":2,'),
  json({ v: 1, kind: 'sweep', vault: 'vault', origin: 'gap', reason: 'x'.repeat(10_000) }),
  json({ v: 1, kind: 'sweep', vault: 'vault', origin: 'operator', approve: [{}] }),
];

/** JSON texts, and what only looks like one. */
export const NASTY_JSON: readonly string[] = [
  '',
  '"',
  '"\\',
  '{"a":1,"a":2,"__proto__":3}',
  '{"10":1,"9":2,"b":1.0,"c":12345678901234567890,"d":1e400,"e":-0}',
  '"\\u003c\\u003C\\\\u003c\\u0026\\ud83d\\ude00\\ud800"',
  ' [ 1 ,\n2\t, "a  b" ] ',
  deep('[', ']', 1_000),
];
