import { checkSections } from './checks.ts';
import { type Config, resolveConfig } from './config.ts';
import { ConfigError } from './errors.ts';
import { interpolate } from './interpolate.ts';
import { childOf, formatKey } from './key-path.ts';
import { CONFIG_NODE, createValidator } from './validate.ts';
import { parseYaml } from './yaml.ts';

/** Where the configuration may come from. */
export interface ConfigSource {
  /** The argument of --config. */
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Reads a file as UTF-8. */
  readonly readFile: (path: string) => Promise<string>;
}

/**
 * Reads the configuration: of the file that was named, else of $VAULTFERRY_CONFIG (a path, or the text itself if it
 * holds a newline or begins with `{`), else of vaultferry.yaml. Throws a ConfigError.
 */
export async function loadConfig({ file, env, readFile }: ConfigSource): Promise<Config> {
  const variable = env['VAULTFERRY_CONFIG'] ?? '';
  if (file !== undefined) return parseConfig(await readText(readFile, file, file), env);
  if (variable.includes('\n') || variable.startsWith('{')) return parseConfig(variable, env);
  // Text that was meant to be inline may end up here and hold a secret, so the variable's value is never shown.
  const [path, name] =
    variable === '' ? [DEFAULT_FILE, DEFAULT_FILE] : [variable, 'the file that $VAULTFERRY_CONFIG names'];
  return parseConfig(await readText(readFile, path, name), env);
}

const DEFAULT_FILE = 'vaultferry.yaml';

async function readText(readFile: ConfigSource['readFile'], path: string, name: string): Promise<string> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = childOf(error, 'code');
    const why = typeof code === 'string' ? ` (${code})` : '';
    const text = `cannot read ${name}${why}; name the configuration with --config FILE or $VAULTFERRY_CONFIG`;
    throw new ConfigError([{ path: [], text }]);
  }
}

/** The configuration that a YAML or JSON text describes. Throws a ConfigError that names everything that is wrong. */
export function parseConfig(text: string, env: NodeJS.ProcessEnv, validate = createValidator()): Config {
  const given = parseYaml(text);
  const { tree, findings: variables } = interpolate(given, CONFIG_NODE, env);
  dropEmptyDestinations(tree);
  const { file, findings: shape } = validate(tree);
  // A value whose variable is unset would be reported a second time for what it still looks like.
  const unset = new Set(variables.map(({ path }) => formatKey(path)));
  const findings = [...variables, ...shape.filter(({ path }) => !unset.has(formatKey(path)))];
  const broken = new Set(findings.map(({ path: [section] }) => section));
  if (file !== undefined) findings.push(...checkSections(file, broken));
  if (file === undefined || findings.length > 0) throw new ConfigError(findings);
  return resolveConfig(file);
}

/** An empty mapping of destinations says what none says: there is one, the default. */
function dropEmptyDestinations(tree: unknown): void {
  const destinations = childOf(tree, 'destinations');
  const empty = typeof destinations === 'object' && destinations !== null && Object.keys(destinations).length === 0;
  if (empty && typeof tree === 'object' && tree !== null) Reflect.deleteProperty(tree, 'destinations');
}
