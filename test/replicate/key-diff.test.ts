import fc from 'fast-check';
import t from 'tap';
import { keyDiff } from '../../src/replicate/key-diff.ts';

t.test('which keys differ, by name', async (t) => {
  const cases = [
    ['{}', '{}', [], [], []],
    ['{"a":1,"b":2}', '{"b":2,"c":3}', ['a'], ['c'], []],
    ['{"a":12345678901234567890}', '{"a":12345678901234567891}', [], [], ['a']],
    ['{"a":1.0}', '{"a":1}', [], [], ['a']],
    ['{"a":{"x":[1,2]}}', ' { "a" : { "x": [1, 2] } } ', [], [], []],
    ['{"a":{"x":[1,2]}}', '{"a":{"x":[2,1]}}', [], [], ['a']],
    ['{"a":"<"}', '{"a":"\\u003c"}', [], [], []],
    ['{"__proto__":1}', '{"constructor":1}', ['__proto__'], ['constructor'], []],
    ['{"a":1,"a":2}', '{"\\u0061":2}', [], [], []],
    ['{"":null}', '{"":false}', [], [], ['']],
  ] as const;
  for (const [source, copy, added, removed, changed] of cases) {
    t.strictSame(keyDiff(source, copy), { added, removed, changed }, `${source} ${copy}`);
  }
});

t.test('what is no object has no keys', async (t) => {
  for (const text of ['', 'text', '[1]', 'null', '"{}"', '{', '{"a":}']) {
    t.equal(keyDiff('{}', text), undefined, text);
    t.equal(keyDiff(text, '{}'), undefined, text);
  }
});

t.test('no value is among the names', async () => {
  const values = fc.dictionary(fc.string(), fc.json());
  fc.assert(
    fc.property(values, values, (source, copy) => {
      const diff = keyDiff(JSON.stringify(source), JSON.stringify(copy));
      const names = Object.values(diff ?? {}).flat();
      const both = Object.keys(source).filter((key) => Object.hasOwn(copy, key));
      return (
        names.every((name) => Object.hasOwn(source, name) || Object.hasOwn(copy, name)) &&
        new Set(names).size === names.length &&
        both.every((key) => (source[key] === copy[key]) === !names.includes(key))
      );
    }),
  );
});
