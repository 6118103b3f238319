import fc from 'fast-check';
import t from 'tap';
import { memberText, memberTexts, renderValue } from '../src/json-text.ts';

const respace = (json: string): string =>
  ` \n${json.replace(/("(?:[^"\\]|\\.)*")|([{}[\],:])/g, (token, string) => (string === undefined ? `\t${token} \r\n` : token))} `;
const goEscape = (json: string): string => json.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);

t.test('the text of a member is cut out exactly as it stands', async (t) => {
  const cases: readonly (readonly [string, readonly string[], string | undefined])[] = [
    ['{"data":{"data":{"n":12345678901234567890}}}', ['data', 'data'], '{"n":12345678901234567890}'],
    ['{"data":{"data":{ "a" : 1.0 , "a":1e400 }}}', ['data', 'data'], '{ "a" : 1.0 , "a":1e400 }'],
    ['{"a":1,"a":2}', ['a'], '2'],
    ['{"d":{"d":1},"d":{"d":2}}', ['d', 'd'], '2'],
    ['{"d":{"d":1},"d":{}}', ['d', 'd'], undefined],
    ['{"\\u0064ata":{"d\\u0061ta":true}}', ['data', 'data'], 'true'],
    ['{"x":"}\\"{","a":"\\\\"}', ['a'], '"\\\\"'],
    ['{"a":[1,{"b":"]"}],"b":null}', ['b'], 'null'],
    ['{"a":[1,{"b":"]"}],"b":null}', ['a'], '[1,{"b":"]"}]'],
    ['{"__proto__":{"x":1}}', ['__proto__'], '{"x":1}'],
    [' \n 17 ', [], '17'],
    ['17', [], '17'],
    ['{}', ['a'], undefined],
    ['[1]', ['0'], undefined],
    ['{"a":"text"}', ['a', 'length'], undefined],
    ['{"a":1', ['a'], undefined],
    ['<html>', ['a'], undefined],
    ['', [], undefined],
  ];
  for (const [text, path, expected] of cases) t.equal(memberText(text, path), expected, text);
});

t.test('a member of any document is found, whatever stands around it', async (t) => {
  const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('data', '__proto__', 'a"\\'));
  fc.assert(
    fc.property(key, fc.jsonValue(), fc.jsonValue(), (name, before, wanted) => {
      const value = JSON.stringify(wanted);
      const quoted = JSON.stringify(name);
      const text = `{"x":${JSON.stringify(before)},${quoted}:0,"in":{${quoted}:1},${quoted} : ${value} }`;
      return memberText(text, [name]) === value;
    }),
  );
  t.pass();
});

t.test('no text makes the scanner throw', async (t) => {
  const jsonish = fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', '1', 'u', '003c', ' ') });
  fc.assert(
    fc.property(fc.oneof(jsonish, fc.string({ unit: 'binary' })), (text) => {
      memberText(text, ['a']);
      const once = renderValue(text);
      return renderValue(once) === once;
    }),
  );
  t.pass();
});

t.test('nesting of any depth is scanned without recursion', async (t) => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  t.equal(memberText(`{"a":${deep},"b":7}`, ['b']), '7');
});

t.test('only the needless HTML escapes are undone', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['"\\u003c\\u003E\\u0026\\u003C"', '"<>&<"'],
    ['"\\\\u003c"', '"\\\\u003c"'],
    ['"\\\\\\u003c"', '"\\\\<"'],
    ['{ "a b" : [ 1.0 , 1e400 , -0 ] }', '{"a b":[1.0,1e400,-0]}'],
    ['{"n":12345678901234567890,"n":1}', '{"n":12345678901234567890,"n":1}'],
    ['{"2":1,"1":2,"__proto__":3}', '{"2":1,"1":2,"__proto__":3}'],
    ['"\\u0000\\u2028\\u00e9\\/\\ud83d\\ude00😀\\n"', '"\\u0000\\u2028\\u00e9\\/\\ud83d\\ude00😀\\n"'],
    ['"\\U003c u003c \\u003d"', '"\\U003c u003c \\u003d"'],
    ['{"\\u003ckey\\u003e":null}\n', '{"<key>":null}'],
    ['"unterminated \\u0026 \\', '"unterminated & \\'],
  ];
  for (const [raw, expected] of cases) t.equal(renderValue(raw), expected, raw);
});

t.test('rendering changes the spelling, never the meaning', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('<', '>', '&', '\\', 'u003c', '"') }),
  );
  const value = fc.oneof(fc.jsonValue(), fc.dictionary(text, text), fc.array(text));
  fc.assert(
    fc.property(value, (wanted) => {
      const compact = JSON.stringify(wanted);
      const rendered = renderValue(respace(goEscape(compact)));
      return (
        rendered === compact && renderValue(rendered) === rendered && !/(?<!\\)(?:\\\\)*\\u003[ce]/i.test(rendered)
      );
    }),
  );
  t.pass();
});

t.test('all members of an object, each in its exact text', async (t) => {
  const texts = (text: string) => memberTexts(text) && [...(memberTexts(text) ?? [])];
  t.strictSame(texts(' {"a" : 1.0 , "\\u0062":{"c":[1, 2]},"a":"x\\"}"} '), [
    ['a', '"x\\"}"'],
    ['b', '{"c":[1, 2]}'],
  ]);
  t.strictSame(texts('{ }'), []);
  for (const text of ['[{"a":1}]', '"a"', '', '{"a":1', '{"a":1}}']) t.equal(texts(text), undefined, text);
});
