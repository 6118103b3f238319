import t from 'tap';
import { bearerTest } from '../src/bearer.ts';
import { Sensitive } from '../src/sensitive.ts';

t.test('any of the tokens is let in, nothing else', async (t) => {
  const accepts = bearerTest([new Sensitive('first'), new Sensitive('sécond')]);
  const table: readonly [string | undefined, boolean][] = [
    ['Bearer first', true],
    ['Bearer sécond', true],
    ['Bearer third', false],
    ['Bearer firs', false],
    ['Bearer first ', false],
    ['Bearer  first', false],
    ['Bearer FIRST', false],
    ['Basic first', false],
    ['first', false],
    ['Bearer ', false],
    ['Bearer', false],
    ['', false],
    [undefined, false],
  ];
  for (const [header, accepted] of table) t.equal(accepts(header), accepted, `${header}`);
});

t.test('without tokens nobody is let in', async (t) => {
  const accepts = bearerTest([]);
  t.notOk(accepts(undefined));
  t.notOk(accepts('Bearer '));
});
