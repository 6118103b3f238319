import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseEntry } from '../../src/audit/entry.ts';
import { ENCODERS, entryOf, REQUEST_ID, TIME } from './entries.ts';

const parse = (value: unknown) => parseEntry(Buffer.from(JSON.stringify(value)));

const PUT = entryOf({
  operation: 'create',
  namespace: 'team-a/sub',
  mountPoint: 'team-a/sub/kv/',
  requestData: { data: { k: 'hmac-sha256:00' } },
  responseData: { created_time: TIME, version: 7, custom_metadata: null, deletion_time: 'hmac-sha256:00' },
});

t.test('an entry gives what it says, in every spelling of its JSON', async (t) => {
  for (const [name, encode] of Object.entries(ENCODERS)) {
    const expected = {
      type: 'response',
      time: TIME,
      requestId: REQUEST_ID,
      operation: 'create',
      mountType: 'kv',
      mountPoint: 'team-a/sub/kv/',
      namespace: 'team-a/sub',
      path: 'kv/data/app',
      version: 7,
      createdTime: TIME,
      rawValues: false,
    };
    t.strictSame(parseEntry(Buffer.from(encode(PUT))), expected, name);
    t.strictSame(parseEntry(Buffer.from(`@cee: ${encode(PUT)} `)), expected, `${name} with a prefix`);
  }
});

t.test('what is missing or of another kind is left out', async (t) => {
  const least = { type: 'request', request: { operation: 'read', path: 'p' } };
  const expected = { type: 'request', operation: 'read', namespace: '', path: 'p', rawValues: false };
  const more = (entry: object, request: object = {}) => ({
    ...least,
    ...entry,
    request: { ...least.request, ...request },
  });
  for (const value of [
    least,
    more({ error: '', time: '', response: null }, { id: '', mount_type: 1, mount_point: ['kv/'], namespace: null }),
    more({ error: {}, time: 3, response: [] }, { id: {}, namespace: {}, data: 'hello' }),
    more({ time: '2026-11-24 22:03', response: { data: [] } }, { namespace: { id: 'root', path: '' } }),
    more({ time: '2026-13-41T99:99:99Z', response: { data: { version: 0 } } }, { id: 'x'.repeat(129) }),
    more({ time: '2026-11-24T22:03:14+01:00', response: { data: { version: 1.5, created_time: 1 } } }),
    more({ response: { data: { version: '1', created_time: 'hmac-sha256:00' } } }, { namespace: { path: '//' } }),
    more({ response: { data: { version: -1 } } }),
    JSON.parse('{"type":"request","request":{"operation":"read","path":"p"},"response":{"data":{"version":1e400}}}'),
    JSON.parse(
      '{"__proto__":{"error":"x"},"type":"request","request":{"__proto__":{"id":"x"},"operation":"read","path":"p"}}',
    ),
  ]) {
    const { mountType: _, ...entry } = parse(value) ?? {};
    t.strictSame(entry, expected, JSON.stringify(value).slice(0, 100));
  }
});

t.test('an error and odd paths are kept as they are', async (t) => {
  t.equal(parse(entryOf({ error: 'permission denied' }))?.error, 'permission denied');
  for (const path of [
    'kv/data/',
    'kv/data//x/',
    'kv/data/../x',
    `kv/data/${'x'.repeat(1_000_000)}`,
    'kv/data/\u0000🔑',
  ]) {
    t.equal(parse(entryOf({ path }))?.path, path, path.slice(0, 20));
  }
});

t.test('a namespace loses its outer slashes, however many', async (t) => {
  const namespace = (path: string) => parse(entryOf({ namespace: path }))?.namespace;
  t.equal(namespace('/team-a/sub/'), 'team-a/sub');
  t.equal(namespace('/'.repeat(1_000_000)), '');
  t.equal(namespace(`a${'/'.repeat(500_000)}b`), `a${'/'.repeat(500_000)}b`);
});

t.test('what Vault cannot have written is no entry', async (t) => {
  const { request, ...rest } = entryOf({});
  for (const value of [
    ...[null, 1, 'text', [], {}, [PUT]],
    rest,
    ...[
      null,
      'x',
      [],
      3,
      {},
      { operation: 'read' },
      { path: 'p' },
      { operation: '', path: 'p' },
      { operation: 1, path: 'p' },
    ].map((request) => ({ ...rest, request })),
    ...[undefined, null, 'audit', {}, ['response']].map((type) => ({ ...rest, request, type })),
    ...[[], 'team-a', 3, { path: 3 }, { path: '\ud800' }].map((namespace) => ({
      ...rest,
      request: { operation: 'read', path: 'p', namespace },
    })),
    entryOf({ path: 'kv/data/\ud800' }),
    entryOf({ path: '' }),
  ]) {
    t.equal(parse(value), undefined, JSON.stringify(value));
  }
});

t.test('broken lines are no entries', async (t) => {
  const whole = JSON.stringify(PUT);
  for (const text of ['', '{', 'hello', '\r', 'GET / HTTP/1.1', whole.slice(0, -1), `${whole}}`, `${whole}${whole}`]) {
    t.equal(parseEntry(Buffer.from(text)), undefined, text.slice(0, 20));
  }
  t.equal(parseEntry(Buffer.from([0xff, 0x7b, 0xff, 0x7d])), undefined);
});

t.test('of a key that comes twice the last counts, and bytes that are no UTF-8 are replaced', async (t) => {
  const twice = '{"type":"request","type":"response","request":{"path":"a","operation":"read","path":"b"}}';
  t.match(parseEntry(Buffer.from(twice)), { type: 'response', path: 'b' });
  const bytes = Buffer.from('{"type":"response","request":{"operation":"read","path":"kv/?"}}');
  bytes[bytes.indexOf('?')] = 0xff;
  t.equal(parseEntry(bytes)?.path, 'kv/\ufffd');
});

t.test('log_raw is noticed in the data of KV entries alone', async (t) => {
  const raw = { data: { k: 'hmac-sha256:00', list: [{ deep: 'plaintext' }] } };
  for (const mountType of ['kv', 'generic', undefined]) {
    t.equal(parse(entryOf({ mountType, requestData: raw }))?.rawValues, true);
    t.equal(parse(entryOf({ mountType, responseData: raw }))?.rawValues, true);
  }
  t.equal(parse(entryOf({ mountType: 'transit', requestData: raw }))?.rawValues, false);
  t.equal(parse(entryOf({ requestData: { password: 'v1 plaintext' } }))?.rawValues, true);
});

t.test('strings that Vault leaves readable are not taken for log_raw', async (t) => {
  for (const readable of [
    { data: { n: 1, b: true, none: null, text: 'hmac-sha256:00', empty: '' } },
    { created_time: TIME, versions: { 1: { created_time: TIME, deletion_time: '' } }, delete_version_after: '0s' },
    { data: { k: 'hmac-sha256:00' }, metadata: { created_time: TIME, custom_metadata: { owner: 'me' } } },
    { keys: ['app/', 'db'], key_info: { db: { custom_metadata: { owner: 'me' } } }, error: 'x' },
    { options: { cas: 1 }, version: '3', custom_metadata: { owner: 'me' } },
  ]) {
    t.equal(parse(entryOf({ responseData: readable, requestData: readable }))?.rawValues, false);
  }
});

t.test('a line nested deeper than the stack is read', async (t) => {
  const depth = 200_000;
  const nested = `${'['.repeat(depth)}"plaintext"${']'.repeat(depth)}`;
  const line = JSON.stringify(entryOf({ requestData: 'DEEP' })).replace('"DEEP"', `{"data":${nested}}`);
  t.equal(parseEntry(Buffer.from(line))?.rawValues, true);
});

t.test('any JSON and any bytes are read without an error', async () => {
  fc.assert(fc.property(fc.json(), (text) => void parseEntry(Buffer.from(text))));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseEntry(Buffer.from([0x7b, ...bytes]))));
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('hmac-sha256:00', TIME));
  const shaped = fc.record(
    {
      type: fc.oneof(fc.constantFrom('request', 'response'), odd),
      time: odd,
      error: odd,
      request: fc.oneof(
        odd,
        fc.record(
          {
            id: odd,
            operation: fc.oneof(fc.constant('update'), odd),
            path: fc.oneof(fc.string(), odd),
            namespace: odd,
            mount_type: odd,
            mount_point: odd,
            data: odd,
          },
          { requiredKeys: ['operation', 'path'] },
        ),
      ),
      response: fc.oneof(odd, fc.record({ data: odd })),
    },
    { requiredKeys: ['type', 'request'] },
  );
  fc.assert(
    fc.property(shaped, (value) => {
      const entry = parse(value);
      if (entry === undefined) return;
      assert.equal(typeof entry.path, 'string');
      assert.equal(typeof entry.operation, 'string');
      assert.ok(Object.values(entry).every((field) => field !== undefined && field !== null));
    }),
    { numRuns: 1000 },
  );
});
