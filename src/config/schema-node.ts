import type { FormatName } from './formats.ts';

/** An interval in the spelling of the file: `{ minimum: '1m', maximum: '30d' }`. */
export interface Bounds {
  readonly minimum: string;
  readonly maximum: string;
}

/** The JSON Schema keywords that this configuration uses, for code that walks the schema. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | false;
  readonly propertyNames?: SchemaNode;
  readonly maxProperties?: number;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly enum?: readonly unknown[];
  readonly format?: FormatName;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** A duration within these bounds. */
  readonly duration?: Bounds;
  /** A number of bytes within these bounds. */
  readonly size?: Bounds;
  /** A secret: masked wherever it is shown. */
  readonly writeOnly?: boolean;
}

export const typesOf = ({ type }: SchemaNode): readonly string[] => (typeof type === 'string' ? [type] : (type ?? []));

/** The schema of a mapping's key or a list's entries; undefined where the schema knows nothing. */
export function schemaBelow(schema: SchemaNode | undefined, name: string | number): SchemaNode | undefined {
  if (typeof name === 'number') return schema?.items;
  const { properties = {}, additionalProperties } = schema ?? {};
  if (Object.hasOwn(properties, name)) return properties[name];
  return additionalProperties === false ? undefined : additionalProperties;
}
