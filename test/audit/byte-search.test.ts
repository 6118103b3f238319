import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import loadWabt from 'wabt';
import { BYTE_SEARCH } from '../../src/audit/byte-search.ts';
import { projectRoot } from '../servers/root.ts';

const AUDIT = join(projectRoot(), 'src/audit');

async function assembled(): Promise<string> {
  const wabt = await loadWabt();
  const module = wabt.parseWat('byte-search.wat', await readFile(join(AUDIT, 'byte-search.wat'), 'utf8'));
  module.validate();
  return Buffer.from(module.toBinary({}).buffer).toString('base64');
}

const written = (module: string): string => `/** byte-search.wat, assembled. */
export const BYTE_SEARCH =
${(module.match(/.{1,110}/g) ?? []).map((line) => `  '${line}'`).join(' +\n')};
`;

t.test('the module in the program is its source, assembled', async (t) => {
  const module = await assembled();
  if (process.env['UPDATE_WASM'] === '1') await writeFile(join(AUDIT, 'byte-search.ts'), written(module));
  else
    t.equal(
      BYTE_SEARCH,
      module,
      'assemble it with UPDATE_WASM=1 npx tap --disable-coverage test/audit/byte-search.test.ts',
    );
});
