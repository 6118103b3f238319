import { expectation } from './expected.ts';
import { FORMATS } from './formats.ts';
import { type SchemaNode, typesOf } from './schema-node.ts';
import { CONFIG_NODE } from './validate.ts';

const VARIABLE = '#/definitions/variable';

/**
 * The JSON Schema (draft-07, which editors know best) of the file as people write it: keys with defaults may be left
 * out, and wherever a value can stand, so can a text with `${NAME}` in it. It accepts all that the program accepts;
 * what several keys must be together only the program checks.
 */
export function configJsonSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'urn:vaultferry:configuration',
    title: 'VaultFerry configuration',
    definitions: {
      variable: { type: 'string', pattern: '\\$\\{', description: 'A text that takes environment variables.' },
    },
    ...published(CONFIG_NODE),
  };
}

function published(schema: SchemaNode): object {
  const types = typesOf(schema);
  const whole = types.includes('object') || types.includes('array');
  const { description, default: fallback, ...rest } = schema;
  const about = {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
  };
  if (whole && types.length === 1) return { ...about, ...rest, ...children(schema) };
  return { ...about, anyOf: [{ ...(whole ? { ...rest, ...children(schema) } : leaf(rest)) }, { $ref: VARIABLE }] };
}

/** The parts of a mapping or list, published in their turn; a part is required only if it has no default. */
function children({ properties, required = [], items, additionalProperties, propertyNames }: SchemaNode): object {
  const parts = Object.entries(properties ?? {});
  const needed = required.filter((key) => properties?.[key]?.default === undefined || holdsRequired(properties[key]));
  return {
    ...(properties && {
      properties: Object.fromEntries(parts.map(([key, part]) => [key, published(part)])),
      required: needed,
    }),
    ...(items && { items: published(items) }),
    ...(additionalProperties && { additionalProperties: published(additionalProperties) }),
    ...(propertyNames && { propertyNames: leaf(propertyNames) }),
  };
}

// A section whose own keys are required is itself required, although an absent one counts as empty.
const holdsRequired = ({ properties = {}, required = [] }: SchemaNode): boolean =>
  required.some((key) => properties[key]?.default === undefined);

/** Our own keywords and formats in words and patterns that every editor knows. */
function leaf(schema: SchemaNode): object {
  const { duration, size, format, ...rest } = schema;
  const pattern = duration ? '^[0-9]+(ms|s|m|h|d)$' : size ? '^[0-9]+(KiB|MiB)?$' : format && FORMATS[format].pattern;
  if (pattern === undefined) return rest;
  return { ...rest, pattern, description: expectation(schema) };
}
