import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** Writes the simulator and what it simulates below `to` as JavaScript, types merely stripped. */
export function emit(root: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const folder of FOLDERS)
    for (const file of sources(join(root, folder))) emitText(to, file, relative(root, file));
  writeFileSync(join(to, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'), 'dir');
}

/**
 * Writes a copy of what {@link emit} wrote from `root`, with a mistake in it, below `to`. Throws where an edit does not
 * fit its file.
 */
export function emitChanged(root: string, emitted: string, to: string, edits: readonly Edit[]): void {
  cpSync(emitted, to, { recursive: true, verbatimSymlinks: true });
  for (const name of new Set(edits.map(({ file }) => file))) {
    const text = edits.filter(({ file }) => file === name).reduce(changed, readFileSync(join(root, name), 'utf8'));
    emitText(to, join(root, name), name, text);
  }
}

function emitText(to: string, file: string, name: string, text = readFileSync(file, 'utf8')): void {
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
