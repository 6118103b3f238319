import { readFile } from 'node:fs/promises';
import { ReplicationError } from '../errors.ts';
import { Sensitive } from '../sensitive.ts';

/** One secret in a file, without the white space around it. Throws an error with a `code` and no word of the content. */
export async function readSecretFile(path: string): Promise<Sensitive<string>> {
  const text = (await readFile(path, 'utf8')).trim();
  if (!/^[\x21-\x7e]+$/.test(text)) throw Object.assign(new Error('not one word'), { code: 'NOT_ONE_WORD' });
  return new Sensitive(text);
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';

/** The same for a login: throws source_unavailable, which says what file lacks `what`. */
export const credentialFrom = (path: string, what: string): Promise<Sensitive<string>> =>
  readSecretFile(path).catch((error: unknown) => {
    throw new ReplicationError(
      'source_unavailable',
      `no ${what} can be read from ${path} (${codeOf(error)}); write one into the file`,
    );
  });
