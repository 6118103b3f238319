import { Ajv } from 'ajv';
import t from 'tap';
import { parse as parseYaml } from 'yaml';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { FULL, MINIMAL, withSections } from './examples.ts';

const accepts = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(configJsonSchema());
const valid = (text: string): boolean => accepts(parseYaml(text));

t.test('the schema names itself', async (t) => {
  t.match(configJsonSchema(), { $schema: /draft-07/, $id: /^urn:/, title: 'VaultFerry configuration' });
});

t.test('it accepts what the program accepts', async (t) => {
  const sections = [
    { ingress: false },
    { ingress: `\${INGRESS}` },
    { ingress: { socket: false, maxLineBytes: 4096 } },
    { destinations: {} },
    { worker: { concurrency: `\${N}`, writesPerSecond: 1 } },
    { admin: { listen: `http://[::1]:\${PORT}` } },
  ];
  for (const text of [MINIMAL, FULL, ...sections.map(withSections)]) {
    t.ok(valid(text), JSON.stringify(accepts.errors));
  }
});

t.test('it refuses what an editor should underline', async (t) => {
  const sections = [
    { queue: undefined },
    { queue: { url: 'http://a/b.fifo' } },
    { routes: [{}] },
    { ingress: true },
    { ingress: { sockt: false } },
    { sweep: { every: 'hourly' } },
    { worker: { concurrency: 1000 } },
    { log: { level: 'loud' } },
    { destinations: { '-': {} } },
    { destinations: { default: { tags: { 'aws:x': 'y' } } } },
  ];
  for (const text of sections.map(withSections)) t.notOk(valid(text), text);
});
