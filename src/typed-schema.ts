import type Type from 'typebox';

// JSON Schema, and from the same words the type of what fits it. The types are TypeBox's; of its functions, which take
// longer to load than all of VaultFerry's own, here are the few that are needed.

export type Static<S extends Type.TSchema> = Type.Static<S>;
export type Properties = Type.TProperties;
export type Schema = Type.TSchema;

/** Further keywords of JSON Schema. */
type Keywords = object;

/** Marks a property that may be left out; JSON and ajv see no symbols. */
const OPTIONAL = Symbol('optional');

/** A schema in the words of JSON Schema, of what is said to be a `T`. */
export const unsafe = <T>(schema: Keywords) => schema as unknown as Type.TUnsafe<T>;

export const string = (keywords?: Keywords) => unsafe<string>({ type: 'string', ...keywords });
export const boolean = (keywords?: Keywords) => unsafe<boolean>({ type: 'boolean', ...keywords });
export const integer = (keywords?: Keywords) => unsafe<number>({ type: 'integer', ...keywords });

/** One of these values. */
export const values = <const V extends readonly (string | number)[]>(members: V, keywords?: Keywords) =>
  unsafe<V[number]>({ enum: members, ...keywords });

export const array = <S extends Schema>(items: S, keywords?: Keywords) =>
  ({ type: 'array', items, ...keywords }) as unknown as Type.TArray<S>;

export const optional = <S extends Schema>(schema: S) =>
  ({ ...schema, [OPTIONAL]: true }) as unknown as Type.TOptional<S>;

/** All properties are required, but those that are {@link optional}. */
export const object = <P extends Properties>(properties: P, keywords?: Keywords) => {
  const required = Object.keys(properties).filter((key) => !(OPTIONAL in (properties[key] as object)));
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties,
    ...keywords,
  } as unknown as Type.TObject<P>;
};

/** Fits at least one of the schemas. */
export const anyOf = <S extends Schema[]>(...schemas: S) => ({ anyOf: schemas }) as unknown as Type.TUnion<S>;
