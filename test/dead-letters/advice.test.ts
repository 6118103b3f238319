import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { errorsTable, explain, LETTER_CODES } from '../../src/dead-letters/advice.ts';
import { FAILURES } from '../../src/errors.ts';
import { projectRoot } from '../servers/root.ts';

const DOCUMENT = join(projectRoot(), 'docs/errors.md');
const BETWEEN_MARKERS = /(<!-- errors:begin[^>]*-->\n)[\s\S]*(<!-- errors:end -->)/;

t.test('the table of codes in the documentation is the one that the program knows', async (t) => {
  const text = await readFile(DOCUMENT, 'utf8');
  t.match(text, BETWEEN_MARKERS);
  const wanted = text.replace(
    BETWEEN_MARKERS,
    (_, begin: string, end: string) => `${begin}\n${errorsTable()}\n\n${end}`,
  );
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(DOCUMENT, wanted);
  else
    t.equal(
      text,
      wanted,
      'write it anew with UPDATE_DOCS=1 npx tap --disable-coverage test/dead-letters/advice.test.ts',
    );
});

t.test('every code has a meaning and advice, in sentences', async (t) => {
  for (const code of LETTER_CODES) {
    t.match(explain(code), { meaning: /^[A-Z].*\.$/, advice: /^[A-Z].*\.$/ }, code);
  }
  t.same(LETTER_CODES, [...Object.keys(FAILURES), 'worker_died', 'foreign']);
  t.equal(explain('not_owned').meaning, FAILURES.not_owned.meaning);
  t.match(explain('worker_died').meaning, /died/);
  t.match(explain('foreign').advice, /never redrives/);
});

t.test('a code of another version is said to be unknown, whatever it is called', async (t) => {
  for (const code of ['of_tomorrow', '__proto__', 'constructor']) t.match(explain(code).meaning, /not known/, code);
});

t.test('each code is a row of four columns of one width', async (t) => {
  const lines = errorsTable().split('\n');
  t.equal(lines.length, LETTER_CODES.length + 2);
  t.equal(new Set(lines.map(({ length }) => length)).size, 1);
  for (const line of lines) t.match(line, /^\|( [^|]+ \|){4}$/);
});
