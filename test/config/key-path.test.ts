import t from 'tap';
import { childOf, formatKey, fromPointer } from '../../src/config/key-path.ts';

t.test('keys are dotted, places and odd names bracketed', async (t) => {
  t.equal(formatKey([]), '');
  t.equal(formatKey(['routes', 1, 'mount']), 'routes[1].mount');
  t.equal(formatKey(['destinations', 'a.b', 'tags', 'x y']), 'destinations["a.b"].tags["x y"]');
  t.equal(formatKey(['a\nb']), '["a\\nb"]');
});

t.test('a number in a JSON pointer is a place only in a list', async (t) => {
  const tree = { list: [{ 0: { 'a/b~c': 1 } }] };
  t.same(fromPointer('/list/0/0/a~1b~0c', tree), ['list', 0, '0', 'a/b~c']);
  t.same(fromPointer('', tree), []);
});

t.test('only own keys are children', async (t) => {
  t.equal(childOf({ a: 1 }, 'a'), 1);
  for (const node of [{}, [], 'text', 1, null, undefined]) t.equal(childOf(node, 'constructor'), undefined);
});
