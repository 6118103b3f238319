import { readdirSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { projectRoot } from './servers/root.ts';

/**
 * Runs the test files of a folder, and of the folders in it, in this process. In a process of its own each takes a second
 * and a half of computing before its first assertion: Node, tap, and what the file imports. A file that changes its
 * process for the others, or has long to wait for its servers, is `*.alone.test.ts`.
 *
 * No test runs before all files are loaded: tap takes a moment without a test, once there is something to tear down, for
 * the end, and would run none of those that come later.
 * @param program the folder's `all.ts`, or what it was compiled into
 */
export async function together(program: string): Promise<void> {
  const files = testFiles(sourceFolder(program)).map((file) => file.replace(/\.ts$/, extname(program)));
  const loading = load(files.map((file) => join(dirname(program), file)));
  t.test(`the ${files.length} files of the folder`, async (t) => {
    await loading;
    t.ok(files.length > 0);
  });
  await loading;
}

/** What stands in the sources: in the compiled folder there may be files of sources that are gone. */
const sourceFolder = (program: string): string => {
  const path = relative(projectRoot(), dirname(program));
  return join(projectRoot(), path.replace(/^build./, ''));
};

const testFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(sharesProcess).sort();

/** Whether a file is a test that runs with those of its folder, where that has an `all.ts`. */
export const sharesProcess = (name: string): boolean => name.endsWith('.test.ts') && !name.endsWith('.alone.test.ts');

async function load(files: readonly string[]): Promise<void> {
  for (const file of files) await import(pathToFileURL(file).href);
}
