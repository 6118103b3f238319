import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/** What a simulation is made of. */
const FOLDERS = ['src', 'test/fakes', 'test/simulation'];

/** A small change of one file: text that stands in it exactly once, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
};

/**
 * Writes the simulator and what it simulates below `to` as JavaScript, types merely stripped. Files that an edit names are
 * changed on the way. Throws where an edit does not fit its file.
 */
export function emit(root: string, to: string, edits: readonly Edit[] = []): void {
  mkdirSync(to, { recursive: true });
  for (const folder of FOLDERS) for (const file of sources(join(root, folder))) emitFile(root, to, file, edits);
  writeFileSync(join(to, 'package.json'), '{"type":"module"}');
  rmSync(join(to, 'node_modules'), { force: true });
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'), 'dir');
}

function emitFile(root: string, to: string, file: string, edits: readonly Edit[]): void {
  const name = relative(root, file);
  const text = edits.filter((edit) => edit.file === name).reduce(changed, readFileSync(file, 'utf8'));
  const out = join(to, name.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, ts.transpileModule(text, { compilerOptions: OPTIONS, fileName: file }).outputText);
}

function changed(text: string, { file, find, put }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times what is to be replaced: ${find}`);
  return parts.join(put);
}

const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
