/** An object as JSON.parse gives it: anything may be missing or of another kind. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object, or an empty one where something else stands. */
export const objectOr = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** Whether it is a string that says something. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Undefined where the text is no JSON. That costs little, whoever sends thousands of such lines: most is the error's stack. */
export function parseJson(text: string): unknown {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const value = parsed(text);
  Error.stackTraceLimit = stackTraceLimit;
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
