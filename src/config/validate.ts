import { Ajv, type ErrorObject } from 'ajv';
import type { Finding } from './errors.ts';
import { expectation } from './expected.ts';
import { FORMATS } from './formats.ts';
import { fromPointer, type KeyPath } from './key-path.ts';
import { nearest } from './nearest.ts';
import { type ConfigFile, ConfigSchema } from './schema.ts';
import type { Bounds, SchemaNode } from './schema-node.ts';
import { parseDuration, parseSize } from './units.ts';

type Parse = (value: string) => number | undefined;

/** Whether a value can be read and lies within bounds; what cannot be read is NaN, which no comparison accepts. */
const bounded = (parse: Parse) => {
  const amount = (value: string): number => parse(value) ?? Number.NaN;
  const within = (bounds: Bounds, value: string): boolean =>
    amount(value) >= amount(bounds.minimum) && amount(value) <= amount(bounds.maximum);
  return { schemaType: 'object', validate: within, errors: false } as const;
};

function createAjv(): Ajv {
  const ajv = new Ajv({
    strict: true,
    allErrors: true,
    useDefaults: true,
    allowUnionTypes: true,
    // Puts the schema into each error, which is all that a message is made of. It puts the value there too, so error
    // objects never leave this file.
    verbose: true,
    // Checking our own schema against the meta-schema is a test's work, and half of the time at start.
    meta: false,
    validateSchema: false,
  });
  ajv.addKeyword({ keyword: 'duration', type: 'string', ...bounded(parseDuration) });
  ajv.addKeyword({ keyword: 'size', type: ['integer', 'string'], ...bounded(parseSize) });
  for (const [name, { check }] of Object.entries(FORMATS)) ajv.addFormat(name, { type: 'string', validate: check });
  return ajv;
}

/** The schema, for code that walks it. */
export const CONFIG_NODE = ConfigSchema as SchemaNode;

/** A checked tree. `file` is absent when the tree is no mapping; its type holds for the sections without findings. */
export interface Validated {
  readonly file?: ConfigFile;
  readonly findings: readonly Finding[];
}

/** Compiles the check, which takes a moment. It fills the schema's defaults into the tree, in place, and checks every key. */
export function createValidator(): (tree: unknown) => Validated {
  const check = createAjv().compile<ConfigFile>(ConfigSchema);
  return (tree) => {
    check(tree);
    // ajv reports a wrong name of a key twice: what is wrong with it, which is kept, and that something is.
    const errors = (check.errors ?? []).filter(({ keyword }) => keyword !== 'propertyNames');
    const findings = errors.map((error) => toFinding(tree, error));
    return isMapping(tree) ? { file: tree as ConfigFile, findings } : { findings };
  };
}

const isMapping = (tree: unknown): tree is object => typeof tree === 'object' && tree !== null && !Array.isArray(tree);

function toFinding(tree: unknown, error: ErrorObject): Finding {
  const { parentSchema = {} } = error;
  const schema = parentSchema as SchemaNode;
  const place = fromPointer(error.instancePath, tree);
  const path = error.propertyName === undefined ? place : [...place, error.propertyName];
  if (error.keyword === 'required') return missing(path, schema, String(error.params['missingProperty']));
  if (error.keyword === 'additionalProperties')
    return unknown(path, schema, String(error.params['additionalProperty']));
  return { path, text: `expected ${expectation(schema)}` };
}

const missing = (path: KeyPath, { properties = {} }: SchemaNode, key: string): Finding => ({
  path: [...path, key],
  text: `is missing; expected ${expectation(properties[key])}`,
});

const unknown = (path: KeyPath, { properties = {} }: SchemaNode, key: string): Finding => {
  const known = Object.keys(properties);
  const meant = nearest(key, known);
  const hint = meant === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${meant}?`;
  return { path: [...path, key], text: `is not a known key; ${hint}` };
};
