import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseEntry } from '../../src/audit/entry.ts';
import { isWrite } from '../../src/audit/kv.ts';
import { isReadEntry } from '../../src/audit/read-entry.ts';
import { ENCODERS, entryOf, kvEntry } from './entries.ts';

const KV = { namespace: '', mount: 'kv' };

t.test('a read is known by its bytes as Go writes them', async (t) => {
  for (const operation of ['read', 'list', 'scan']) {
    const line = ENCODERS['go']?.(kvEntry(KV, operation, 'data/a')) ?? '';
    t.equal(isReadEntry(Buffer.from(line)), true, operation);
  }
});

t.test('whatever may be a write is parsed', async (t) => {
  const read = (more: string) => `{"type":"response","request":{"operation":"read"${more}}}`;
  for (const line of [
    '',
    '{"type":"response"}',
    '{"operation"',
    '{"operation":"read',
    '{"request":{"operation": "read"}}',
    '{"request":{"operation":"update"}}',
    read(',"data":{"operation":"update"}'),
    read(',"operation":"delete"'),
    read(',"\\u006fperation":"delete"'),
    `{"auth":{"metadata":{"operation":"read"}},"request":{"operation":"update"}}`,
    `{"request":{"operation":"recover"},"auth":{"metadata":{"operation":"read"}}}`,
  ]) {
    t.equal(isReadEntry(Buffer.from(line)), false, line);
  }
});

t.test('no write is ever taken for a read, whatever else the entry holds and however it is spelled', async () => {
  const text = fc.oneof(
    fc.constantFrom('operation', 'read', 'list', '"operation":"read"', '\\"operation\\":\\"read\\"', 'update'),
    fc.string(),
  );
  const held = fc.dictionary(text, text, { maxKeys: 4 });
  const operation = fc.constantFrom('create', 'update', 'patch', 'delete', 'recover', 'read', 'list');
  const entry = fc.record({ operation, held, before: fc.boolean() }).map(({ operation, held, before }) => {
    const whole = entryOf({ operation, requestData: held, responseData: held });
    return before ? { auth: { metadata: held }, ...whole } : { ...whole, auth: { metadata: held } };
  });
  fc.assert(
    fc.property(entry, fc.constantFrom(...Object.keys(ENCODERS)), (entry, encoder) => {
      const line = Buffer.from(ENCODERS[encoder]?.(entry) ?? '');
      const read = parseEntry(line);
      assert.ok(read !== undefined);
      if (isReadEntry(line)) assert.equal(isWrite(read.operation), false);
    }),
    { numRuns: 2_000 },
  );
});
