import t from 'tap';
import { ConfigError } from '../../src/config/errors.ts';
import { parseYaml } from '../../src/config/yaml.ts';

t.test('YAML and JSON are read; an empty text is an empty mapping', async (t) => {
  t.same(parseYaml('a: { b: [1, "x"] }'), { a: { b: [1, 'x'] } });
  t.same(parseYaml('{"a": {"b": [1, "x"]}}'), { a: { b: [1, 'x'] } });
  t.same(parseYaml('a: &x 1\nb: *x'), { a: 1, b: 1 });
  for (const text of ['', '# nothing\n', '---\n']) t.same(parseYaml(text), {});
});

t.test('errors name line and column and quote nothing', async (t) => {
  const cases: [string, RegExp][] = [
    ['canary: 1\ncanary: 2', /^line 2, column 1: this key stands in its mapping twice$/],
    ['{"canary": 1, "canary": 2}', /^line 1, column \d+: this key/],
    ['a: canary: b', /^line 1, column 4: a mapping begins inside a line/],
    ['a: "canary', /^line 1, column 11: a closing quote/],
    ['a: "\\canary"', /^line 1, column 5: an invalid escape/],
    ['\tcanary: 1', /^line 1, column 1: tabs/],
    ['canary: [1', /^line 1, column 11: the indentation/],
    ['--- canary\n--- canary', /^line 2, column 1: a second document/],
    ['? [canary]\n: 1', /^line 1, column \d+: a key is neither/],
    ['a: *canary', /^a YAML alias has no anchor/],
    ['a: @canary', /^line 1, column 4: this is not valid YAML/],
  ];
  for (const [text, message] of cases) {
    try {
      parseYaml(text);
      t.fail(`accepted ${text}`);
    } catch (error) {
      t.ok(error instanceof ConfigError && message.test(error.message), `${text}: ${error}`);
      t.notMatch(String(error), 'canary');
    }
  }
});

t.test('aliases that multiply without end are an error', async (t) => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefg'].map((c, i) => `${c}: &${c} [${`*${'abcdef'[i]},`.repeat(9)}]`).join('\n')}`;
  t.throws(() => parseYaml(bomb), ConfigError);
});
