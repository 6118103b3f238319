import { FORMATS } from './formats.ts';
import { type Bounds, type SchemaNode, typesOf } from './schema-node.ts';

const within = ({ minimum, maximum }: Bounds, unit: string): string => `a ${unit} from ${minimum} to ${maximum}`;

const many = (schema: SchemaNode): string => {
  const least = (schema.minItems ?? 0) > 0 ? ' with at least one entry' : '';
  return `a list${least}${schema.uniqueItems === true ? ', nothing in it twice' : ''}`;
};

const keys = ({ maxProperties }: SchemaNode): string =>
  maxProperties === undefined ? 'a mapping of keys' : `a mapping of at most ${maxProperties} keys`;

function phrase(schema: SchemaNode): string {
  if (schema.duration) return `${within(schema.duration, 'duration')}, in ms, s, m, h or d`;
  if (schema.size) return `${within(schema.size, 'size')}, in bytes, KiB or MiB`;
  if (schema.format !== undefined) return FORMATS[schema.format].expected;
  if (schema.enum) return schema.enum.length === 1 ? String(schema.enum[0]) : `one of ${schema.enum.join(', ')}`;
  const types = typesOf(schema);
  if (types.includes('object')) return keys(schema);
  if (types.includes('array')) return many(schema);
  if (types.includes('integer')) return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  return types.includes('boolean') ? 'true or false' : 'a text that is not empty';
}

/** What a value must be, in words that follow "expected". Made of the schema alone, so no value can be in it. */
export function expectation(schema: SchemaNode = {}): string {
  const optional = typesOf(schema).length > 1 && typesOf(schema).includes('boolean');
  return optional ? `false, or ${phrase(schema)}` : phrase(schema);
}
