import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, posix, relative } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { projectRoot } from './servers/root.ts';

const SRC = join(projectRoot(), 'src');

interface File {
  /** Below src, with forward slashes. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly readsEnvironment: boolean;
}

interface Import {
  /** A package, a `node:` module, or a path below src. */
  readonly to: string;
  /** Vanishes when compiled. */
  readonly typeOnly: boolean;
  /** What is imported by name; empty for the rest. */
  readonly names: readonly string[];
}

async function readSources(): Promise<File[]> {
  const entries = await readdir(SRC, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(SRC, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  return Promise.all(paths.map(async (path) => parse(path, await readFile(join(SRC, path), 'utf8'))));
}

function parse(path: string, text: string): File {
  const imports: Import[] = [];
  let readsEnvironment = false;
  const add = (node: ts.Node | undefined, typeOnly: boolean, names: readonly string[]) => {
    if (node === undefined || !ts.isStringLiteralLike(node))
      throw new Error(`${path} imports what cannot be read here`);
    const to = node.text.startsWith('.') ? posix.join(posix.dirname(path), node.text) : node.text;
    imports.push({ to, typeOnly, names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node), namesOf(node));
    if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(node.moduleSpecifier, node.isTypeOnly, []);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true, []);
    if (ts.isCallExpression(node) && isLoading(node.expression)) add(node.arguments[0], false, []);
    if (isEnvironment(node)) readsEnvironment = true;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true));
  return { path, imports, readsEnvironment };
}

const namesOf = ({ importClause }: ts.ImportDeclaration): string[] => {
  const bindings = importClause?.namedBindings;
  return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
};

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = importClause.namedBindings;
  const named = bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
  return importClause.name === undefined && named.length > 0 && named.every((element) => element.isTypeOnly);
}

const isLoading = (expression: ts.Expression): boolean =>
  expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require');

/** `process.env`, `process['env']`, `{ env } = process`, and `env` by name from node:process. */
function isEnvironment(node: ts.Node): boolean {
  const isProcess = (one: ts.Node | undefined) => one !== undefined && ts.isIdentifier(one) && one.text === 'process';
  if (ts.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env';
  if (ts.isElementAccessExpression(node)) return isProcess(node.expression);
  if (ts.isVariableDeclaration(node)) return isProcess(node.initializer);
  return ts.isImportDeclaration(node) && /["'](node:)?process["']/.test(node.moduleSpecifier.getText());
}

const files = await readSources();
const among = (path: string, places: readonly string[]) =>
  places.some((place) => path === place || (place.endsWith('/') && path.startsWith(place)));
/** `importer -> imported`, of the imports that `wrong` finds so. */
const found = (wrong: (file: File, imported: Import) => boolean): string[] =>
  files.flatMap((file) => file.imports.filter((one) => wrong(file, one)).map(({ to }) => `${file.path} -> ${to}`));

const PURE = [
  'audit/',
  'replicate/',
  'config/',
  'json-text.ts',
  'typed-schema.ts',
  'queue/message.ts',
  'queue/check.ts',
  'queue/ports.ts',
  'worker/verdict.ts',
  'worker/park.ts',
  'sweep/approvals.ts',
  'sweep/deletion.ts',
  'sweep/drift.ts',
  'sweep/report.ts',
  'doctor/checks/',
  'doctor/finding.ts',
  'doctor/arns.ts',
  'doctor/iam-keys.ts',
  'doctor/iam-policy.ts',
  'doctor/vault-policy.ts',
  'dead-letters/advice.ts',
  'dead-letters/letter.ts',
  'dead-letters/redrive.ts',
  'dead-letters/select.ts',
  'backoff.ts',
  'limiter.ts',
  'errors.ts',
  'sensitive.ts',
];
const IMPURE = ['config/env.ts'];
const OUTSIDE =
  /^(node:)?(net|tls|dgram|dns|fs|http|https|http2|child_process|worker_threads)(\/|$)|^@aws-sdk\/|^@smithy\/|^node-vault|^fastify|^@fastify\/|^pino/;
const isPure = (path: string) => among(path, PURE) && !among(path, IMPURE);

t.test('the parser sees what it must', async (t) => {
  const { imports, readsEnvironment } = parse(
    'a/b.ts',
    `import { type X } from 'one'; import type Y from "two"; import z, { type Q } from './c.ts'; import '../d.ts';
     export * from 'five'; type T = import('six').T; const later = () => import('seven'); // import 'eight'
     const text = "process.env";`,
  );
  t.same(
    imports.map(({ to, typeOnly }) => `${to} ${typeOnly}`),
    ['one true', 'two true', 'a/c.ts false', 'd.ts false', 'five false', 'six true', 'seven false'],
  );
  t.notOk(readsEnvironment);
  const reading = ['process.env.X', "process['env']", 'const { env } = process', "import { env } from 'node:process'"];
  for (const text of reading) t.ok(parse('a.ts', text).readsEnvironment, text);
  t.ok(files.length > 50 && files.some(({ path }) => path === 'replicate/decide.ts'), 'src was read');
});

t.test('every place that is named here exists', async (t) => {
  for (const place of [...PURE, ...IMPURE])
    t.ok(
      files.some(({ path }) => among(path, [place])),
      place,
    );
});

t.test('the pure core reaches nothing outside', async (t) => {
  const isAddressCheck = (path: string, { to, names }: Import) =>
    path === 'config/address.ts' &&
    to === 'node:net' &&
    names.length > 0 &&
    names.every((name) => name.startsWith('isIP'));
  t.same(
    found((file, one) => isPure(file.path) && OUTSIDE.test(one.to) && !isAddressCheck(file.path, one)),
    [],
  );
});

t.test(
  'an installed program imports nothing that only developers have; of TypeBox the types, in one file',
  async (t) => {
    const { devDependencies } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8'));
    const isDevelopments = ({ to }: Import) =>
      Object.keys(devDependencies).some((name) => to === name || to.startsWith(`${name}/`));
    const imports = files.flatMap(({ path, imports }) =>
      imports.filter(isDevelopments).map(({ to, typeOnly }) => `${path} ${to} ${typeOnly}`),
    );
    t.same(imports, ['typed-schema.ts typebox true']);
  },
);

t.test('what the pure core imports is pure too', async (t) => {
  const isOurs = ({ to }: Import) => files.some(({ path }) => path === to);
  t.same(
    found((file, one) => isPure(file.path) && isOurs(one) && !one.typeOnly && !isPure(one.to)),
    [],
  );
});

t.test('each outside library has its one door', async (t) => {
  const doors: readonly (readonly [RegExp, readonly string[]])[] = [
    [/^node-vault/, ['vault/client.ts']],
    [/^@aws-sdk\//, ['aws/', 'queue/sqs.ts']],
    [/^@smithy\//, ['aws/caller-identity.ts', 'aws/clients.ts']],
    [/^pino/, ['log.ts']],
    [/^ajv/, ['config/', 'queue/message.ts']],
    [/^yaml/, ['config/', 'commands/config.ts']],
    [/^picomatch/, ['replicate/glob.ts']],
    [/^prom-client/, ['admin/']],
    [/^(node:)?child_process/, []],
  ];
  for (const [library, places] of doors) {
    const elsewhere = found(
      ({ path }, { to, typeOnly }) =>
        library.test(to) && !among(path, places) && !(typeOnly && path.startsWith('serve/')),
    );
    t.same(elsewhere, [], `${library}`);
  }
});

t.test('the environment is read in one place', async (t) => {
  t.same(
    files.filter(({ readsEnvironment }) => readsEnvironment).map(({ path }) => path),
    ['config/env.ts'],
  );
});

/**
 * Which folders each folder may import; files directly in src count as the folder ''. The corridor runs
 * audit -> ingress -> queue -> worker -> replicate, and only serve and the commands see all of it.
 */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  replicate: [],
  config: ['replicate'],
  audit: ['replicate'],
  vault: ['replicate'],
  queue: ['aws'],
  aws: ['replicate'],
  ingress: ['audit', 'config', 'queue', 'replicate'],
  worker: ['queue', 'replicate'],
  sweep: ['queue', 'replicate', 'worker'],
  admin: ['queue', 'sweep'],
  doctor: ['aws', 'config', 'queue', 'replicate', 'vault'],
  serve: ['admin', 'audit', 'aws', 'config', 'ingress', 'queue', 'replicate', 'sweep', 'vault', 'worker'],
  'dead-letters': ['queue', 'replicate'],
  commands: ['aws', 'config', 'dead-letters', 'doctor', 'queue', 'replicate', 'serve', 'sweep'],
  cli: ['aws', 'commands', 'config', 'dead-letters', 'queue', 'replicate', 'serve'],
};
/** They stand at the top of everything. */
const PROGRAMS = ['cli.ts', 'healthcheck.ts'];
const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

t.test('folders import only what lies further down the corridor', async (t) => {
  const isOurs = ({ to }: Import) => to.endsWith('.ts');
  t.same(
    found((file, one) => {
      const [from, to] = [folderOf(file.path), folderOf(one.to)];
      if (!isOurs(one) || from === to || to === '') return false;
      return !PROGRAMS.includes(file.path) && !(FOLDERS[from] ?? []).includes(to);
    }),
    [],
  );
  t.same(
    [...new Set(files.map(({ path }) => folderOf(path)))].filter((folder) => folder !== '').sort(),
    Object.keys(FOLDERS).sort(),
  );
});

t.test('no compiled file is left of a source that is gone, which would be tested on', async (t) => {
  const build = join(projectRoot(), 'build');
  const entries = await readdir(build, { recursive: true, withFileTypes: true }).catch(() => []);
  const compiled = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.js'));
  const sources = compiled.map(({ parentPath, name }) =>
    join(relative(build, parentPath), name.replace(/\.js$/, '.ts')),
  );
  t.same(
    sources.filter((source) => !existsSync(join(projectRoot(), source))),
    [],
    'remove build/',
  );
});

t.test('nobody imports a program', async (t) => {
  t.same(
    found((_, { to }) => PROGRAMS.includes(to)),
    [],
  );
});
