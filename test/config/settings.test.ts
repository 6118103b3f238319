import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { SchemaNode } from '../../src/config/schema-node.ts';
import { settingsTable } from '../../src/config/settings.ts';
import { CONFIG_NODE } from '../../src/config/validate.ts';
import { projectRoot } from '../servers/root.ts';

const DOCUMENT = join(projectRoot(), 'docs/configuration.md');
const BETWEEN_MARKERS = /(<!-- settings:begin[^>]*-->\n)[\s\S]*(<!-- settings:end -->)/;

t.test('the settings table in the documentation is the one that the schema gives', async (t) => {
  const text = await readFile(DOCUMENT, 'utf8');
  const wanted = text.replace(
    BETWEEN_MARKERS,
    (_, begin: string, end: string) => `${begin}\n${settingsTable()}\n\n${end}`,
  );
  t.match(text, BETWEEN_MARKERS);
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(DOCUMENT, wanted);
  else
    t.equal(text, wanted, 'write it anew with UPDATE_DOCS=1 npx tap --disable-coverage test/config/settings.test.ts');
});

const leaves = (schema: SchemaNode, key: string): [string, SchemaNode][] => {
  if (schema.properties)
    return Object.entries(schema.properties).flatMap(([name, part]) => leaves(part, `${key}.${name}`));
  const part = schema.items ?? (schema.additionalProperties || undefined);
  return part?.properties ? leaves(part, `${key}[]`) : [[key, schema]];
};

t.test('every setting says what it means', async (t) => {
  for (const [key, { description }] of leaves(CONFIG_NODE, '')) t.match(description, /^[A-Z].*\.$/, key);
});
