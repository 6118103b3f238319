import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import loadWabt from 'wabt';
import { createByteSearch, createPlainByteSearch, SEARCHED } from '../../src/audit/byte-search.ts';
import { BYTE_SEARCH_MODULE } from '../../src/audit/byte-search-module.ts';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { projectRoot } from '../servers/root.ts';

const AUDIT = join(projectRoot(), 'src/audit');
const UPDATE = 'UPDATE_WASM=1 npx tap --disable-coverage test/audit/byte-search.test.ts';

async function assembled(): Promise<string> {
  const wabt = await loadWabt();
  const module = wabt.parseWat('byte-search.wat', await readFile(join(AUDIT, 'byte-search.wat'), 'utf8'));
  module.validate();
  return Buffer.from(module.toBinary({}).buffer).toString('base64');
}

const written = (module: string): string => `/** byte-search.wat, assembled by ${UPDATE} */
export const BYTE_SEARCH_MODULE =
${(module.match(/.{1,110}/g) ?? []).map((line) => `  '${line}'`).join(' +\n')};
`;

t.test('the module in the program is its source, assembled', async (t) => {
  const module = await assembled();
  if (process.env['UPDATE_WASM'] === '1') await writeFile(join(AUDIT, 'byte-search-module.ts'), written(module));
  else t.equal(BYTE_SEARCH_MODULE, module, `assemble it with ${UPDATE}`);
});

t.test('with and without vector instructions the same is found', async (t) => {
  const [vector, plain] = [createByteSearch(), createPlainByteSearch()];
  t.not(vector.memory.constructor, plain.memory.constructor, 'this processor has them');
  const byte = fc.constantFrom(...Buffer.from('ab/\\\n'));
  const tables = fc.uint8Array({ minLength: SEARCHED, maxLength: SEARCHED });
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 500 }), fc.array(byte, { maxLength: 500 }));
  fc.assert(
    fc.property(tables, bytes, fc.nat(100), fc.nat(600), (tables, bytes, at, length) => {
      const [begin, end] = [SEARCHED + at, SEARCHED + at + length];
      const [found, expected] = [vector, plain].map(({ memory, anchor, newlines }) => {
        const all = new Uint8Array(memory.buffer);
        all.set(tables);
        all.set(bytes, SEARCHED);
        const places: number[] = [];
        for (let place = anchor(begin, end); place < end; place = anchor(place + 1, end)) places.push(place);
        return { places, newlines: newlines(begin, end) };
      });
      assert.deepEqual(found, expected);
    }),
    { numRuns: 500 },
  );
});

t.test('where V8 cannot run the module, bytes are searched without', async (t) => {
  const webAssembly: unknown = Reflect.get(globalThis, 'WebAssembly');
  t.teardown(() => Reflect.set(globalThis, 'WebAssembly', webAssembly));
  Reflect.deleteProperty(globalThis, 'WebAssembly'); // as under --jitless
  const { holds } = createMarkerSearch([Buffer.from('kv/')]);
  t.same([holds(Buffer.from('a kv/b')), holds(Buffer.from('a kv'))], [true, false]);
});
