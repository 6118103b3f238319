import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Runs the test files of a folder, and of the folders in it, in this process, one after the other. In a process of its
 * own each takes a second and a half of computing before its first assertion: Node, tap, and what the file imports.
 * A file that changes its process for the others, or has long to wait for its servers, is `*.alone.test.ts`.
 * @param program the folder's `all.ts`
 */
export async function together(program: string): Promise<void> {
  const folder = dirname(program);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.test.js') && !name.endsWith('.alone.test.js')).sort();
  for (const file of files) await import(pathToFileURL(join(folder, file)).href);
}
