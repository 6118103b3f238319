import type { Finding } from './errors.ts';
import type { KeyPath } from './key-path.ts';
import { type SchemaNode, schemaBelow, typesOf } from './schema-node.ts';

// No valid configuration is half as deep.
const MAX_DEPTH = 32;

/** A tree of its own, with every `${NAME}` replaced, and what could not be replaced. */
export interface Interpolated {
  readonly tree: unknown;
  readonly findings: readonly Finding[];
}

/**
 * Replaces `${NAME}` in the texts of `tree` by the variables of `env`; `$${` is a literal `${`. What came from a
 * variable is turned into the number or boolean that `schema` expects there; what the file spells itself never is.
 */
export function interpolate(tree: unknown, schema: SchemaNode, env: NodeJS.ProcessEnv): Interpolated {
  const findings: Finding[] = [];
  const visit = (node: unknown, below: SchemaNode | undefined, path: KeyPath, parents: readonly object[]): unknown => {
    if (typeof node === 'string') return interpolateText(node, below, path);
    if (typeof node !== 'object' || node === null) return node;
    // A YAML alias may stand inside what it names, and such a tree has no end.
    if (parents.length >= MAX_DEPTH || parents.includes(node)) return tooDeep(path);
    const child = (value: unknown, key: string | number): unknown =>
      visit(value, schemaBelow(below, key), [...path, key], [...parents, node]);
    if (Array.isArray(node)) return node.map(child);
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, child(value, key)]));
  };
  const tooDeep = (path: KeyPath): undefined => {
    findings.push({ path: path.slice(0, 1), text: 'is nested too deeply, or an alias stands inside what it names' });
  };
  const interpolateText = (text: string, below: SchemaNode | undefined, path: KeyPath): unknown => {
    const { replaced, problems, variables } = replaceVariables(text, env);
    findings.push(...problems.map((problem) => ({ path, text: problem })));
    return variables > 0 ? coerce(replaced, below) : replaced;
  };
  return { tree: visit(tree, schema, [], []), findings };
}

/** Exported for its table of cases; `variables` counts what came from the environment. */
export function replaceVariables(text: string, env: NodeJS.ProcessEnv) {
  const problems: string[] = [];
  let variables = 0;
  const replaced = text.replace(/\$\$\{|\$\{([^}]*\})?/g, (found, closed?: string) => {
    if (found === '$${') return '${';
    const name = closed?.slice(0, -1) ?? '';
    const value = variable(name, env);
    if (value === undefined) problems.push(unusable(name));
    variables++;
    return value ?? found;
  });
  return { replaced, problems, variables };
}

const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);

const variable = (name: string, env: NodeJS.ProcessEnv): string | undefined =>
  isName(name) && Object.hasOwn(env, name) ? env[name] : undefined;

// What stands between the braces is shown only where it is a variable's name: anything else may be a piece of a secret.
const unusable = (name: string): string =>
  isName(name)
    ? `the environment variable ${name} is not set`
    : 'expected the name of an environment variable and } after ${ (a literal ${ is written $${)';

function coerce(text: string, schema: SchemaNode = {}): unknown {
  const types = typesOf(schema);
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  const numeric = types.includes('integer') || schema.enum?.includes(Number(text)) === true;
  return numeric && /^\d{1,15}$/.test(text) ? Number(text) : text;
}
