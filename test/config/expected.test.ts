import t from 'tap';
import { expectation } from '../../src/config/expected.ts';
import type { SchemaNode } from '../../src/config/schema-node.ts';

const TABLE: readonly (readonly [SchemaNode | undefined, string])[] = [
  [undefined, 'a text that is not empty'],
  [{ type: 'string' }, 'a text that is not empty'],
  [{ type: 'boolean' }, 'true or false'],
  [{ type: 'integer', minimum: 1, maximum: 9 }, 'a whole number from 1 to 9'],
  [{ enum: ['one'] }, 'one'],
  [{ enum: ['auto', 1, 2] }, 'one of auto, 1, 2'],
  [{ type: 'string', format: 'percent' }, 'a share such as 5%, at most 100%'],
  [{ type: 'string', duration: { minimum: '5m', maximum: '30d' } }, 'a duration from 5m to 30d, in ms, s, m, h or d'],
  [{ type: 'string', size: { minimum: '1KiB', maximum: '1MiB' } }, 'a size from 1KiB to 1MiB, in bytes, KiB or MiB'],
  [{ type: 'object' }, 'a mapping of keys'],
  [{ type: 'object', maxProperties: 3 }, 'a mapping of at most 3 keys'],
  [{ type: 'array' }, 'a list'],
  [{ type: 'array', minItems: 1, uniqueItems: true }, 'a list with at least one entry, nothing in it twice'],
  [{ type: ['boolean', 'object'] }, 'false, or a mapping of keys'],
];

t.test('what is expected is said of each kind of schema', async (t) => {
  for (const [schema, words] of TABLE) t.equal(expectation(schema), words);
});
