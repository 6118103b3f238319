import {
  array,
  boolean,
  integer,
  object,
  type Properties,
  type Schema,
  type Static,
  string,
  unsafe,
  values,
} from '../typed-schema.ts';
import type { FormatName } from './formats.ts';

/** What every setting says of itself: a sentence for the table, and the default unless it is required or optional. */
interface About {
  readonly description: string;
  readonly default?: unknown;
}

/** Marks what is masked wherever the configuration is shown. */
const SECRET = { writeOnly: true } as const;

export const text = (about: About) => string({ minLength: 1, ...about });
export const secret = (about: About) => string({ minLength: 1, ...SECRET, ...about });
export const flag = (about: About) => boolean(about);
export const count = (minimum: number, maximum: number, about: About) => integer({ minimum, maximum, ...about });
export const formatted = (format: FormatName, about: About) => string({ format, ...about });
export const oneOf = <const V extends readonly (string | number)[]>(members: V, about: About) => values(members, about);
export const texts = (minItems: 0 | 1, about: About) =>
  array(string({ minLength: 1 }), { minItems, uniqueItems: true, ...about });
export const secrets = (about: About) => array(string({ minLength: 1, ...SECRET }), { minItems: 1, ...about });
export const formattedList = (format: FormatName, about: About) => array(string({ format }), about);

/** A duration between two others; in the file a text, in the program milliseconds. */
export const duration = (minimum: string, maximum: string, about: About) =>
  string({ duration: { minimum, maximum }, ...about });

/** A number of bytes between two others; in the file a number or a text, in the program a number. */
export const size = (minimum: string, maximum: string, about: About) =>
  unsafe<number | string>({ type: ['integer', 'string'], size: { minimum, maximum }, ...about });

/** A mapping of known keys; an unknown one is an error. */
export const mapping = <P extends Properties>(properties: P, about?: About) =>
  object(properties, { additionalProperties: false, ...about });

/** A mapping that may be left out: its keys then have their defaults. */
export const section = <P extends Properties>(properties: P, description: string) =>
  mapping(properties, { description, default: {} });

/** A mapping whose keys are the user's own names. */
export const named = <T extends Schema>(keys: FormatName, value: T, about: About & { maxProperties?: number }) =>
  unsafe<Record<string, Static<T>>>({
    type: 'object',
    propertyNames: { type: 'string', format: keys },
    additionalProperties: value,
    ...about,
  });

/**
 * The schema, or the word `false`. Said with `not` rather than as a union, because ajv fills no defaults
 * inside one and would answer a single wrong key with an error for each of its members.
 */
export const orFalse = <T extends Schema>(type: 'object' | 'string', schema: T) =>
  unsafe<false | Static<T>>({ ...schema, type: [type, 'boolean'], not: { const: true } });
