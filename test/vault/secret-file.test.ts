import { join } from 'node:path';
import t from 'tap';
import { codeOf, credentialFrom, readSecretFile } from '../../src/vault/secret-file.ts';

t.test('one word is read without the white space around it, and anything else is refused', async (t) => {
  const texts = { good: '  a-b.C_1=\n', empty: ' \n', two: 'canary canary', foreign: 'canäry', nul: 'canary\0' };
  const path = (name: string): string => join(t.testdirName, name);
  t.testdir(texts);
  t.equal((await readSecretFile(path('good'))).reveal(), 'a-b.C_1=');
  for (const name of ['empty', 'two', 'foreign', 'nul']) {
    await t.rejects(readSecretFile(path(name)), { code: 'NOT_ONE_WORD' }, name);
    const error: unknown = await credentialFrom(path(name), 'JWT').catch((thrown: unknown) => thrown);
    t.match(error, { code: 'source_unavailable', message: `no JWT can be read from ${path(name)} (NOT_ONE_WORD)` });
    t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), 'can\u00e4ry');
    t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), 'canary');
  }
  await t.rejects(readSecretFile(path('absent')), { code: 'ENOENT' });
  t.equal(codeOf(new Error('no code')), 'UNKNOWN');
  t.equal(codeOf('no error'), 'UNKNOWN');
});
