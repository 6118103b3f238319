import { expectation } from './expected.ts';
import { type SchemaNode, typesOf } from './schema-node.ts';
import { CONFIG_NODE } from './validate.ts';

type Setting = readonly [key: string, fallback: string, meaning: string];

/** The Markdown table of every key, its default and its meaning; its columns are aligned as the formatter does. */
export function settingsTable(): string {
  const head: Setting = ['Key', 'Default', 'Meaning'];
  const rows = [head, ...settings(CONFIG_NODE, '')].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => String(cells[column]).length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => cells[column]?.padEnd(width)).join(' | ')} |`;
  const [first, ...rest] = rows.map(line);
  return [first, line(widths.map((width) => '-'.repeat(width))), ...rest].join('\n');
}

function settings(schema: SchemaNode, prefix: string): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    const required = schema.required?.includes(name) === true;
    return [...own(part, key, required), ...below(part, key)];
  });
}

const isSection = (schema: SchemaNode): boolean => schema.properties !== undefined;

/** A mapping of known keys is listed by them alone, unless it can be something else too (`ingress: false`). */
function own(schema: SchemaNode, key: string, required: boolean): Setting[] {
  if (isSection(schema) && typesOf(schema).length === 1) return [];
  return [[`\`${key}\``, fallbackOf(schema, required), meaningOf(schema)]];
}

function fallbackOf(schema: SchemaNode, required: boolean): string {
  if (isSection(schema)) return 'the keys below';
  if (schema.default !== undefined) return `\`${JSON.stringify(schema.default)}\``;
  return required ? 'required' : 'none';
}

function meaningOf(schema: SchemaNode): string {
  const limits = schema.duration || schema.size || schema.maximum !== undefined || (schema.enum?.length ?? 0) > 1;
  const { description = '' } = schema;
  return limits ? `${description} ${capitalised(expectation(schema))}.` : description;
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function below(schema: SchemaNode, key: string): Setting[] {
  if (isSection(schema)) return settings(schema, key);
  if (schema.items) return settings(schema.items, `${key}[]`);
  return schema.additionalProperties ? settings(schema.additionalProperties, `${key}.NAME`) : [];
}
