/** An object as JSON.parse gives it: anything may be missing or of another kind. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object, or an empty one where something else stands. */
export const objectOr = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** The string, unless it is missing, empty or something else. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
