import t from 'tap';
import { oncePer } from '../../src/replicate/once-per.ts';

t.test('once for each key, and anew when it has remembered enough', async (t) => {
  const acted: string[] = [];
  const act = oncePer(2, (key) => acted.push(key));
  for (const key of ['a', 'a', 'b', 'a', 'b', 'c', 'c', 'a']) act(key);
  t.same(acted, ['a', 'b', 'c', 'a']);
});
