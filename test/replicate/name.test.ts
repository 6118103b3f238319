import fc from 'fast-check';
import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { checkName, escapeName, looksLikePartialArn, secretName, unescapeName } from '../../src/replicate/name.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('=', '2', '0', 'A', 'F', 'é', '/', ' ', 'a', '😀') }),
);

t.test('what Secrets Manager forbids is written byte by byte', async (t) => {
  const table: Readonly<Record<string, string>> = {
    'app/db': 'app/db',
    'AZaz09/_+.@-': 'AZaz09/_+.@-',
    'a b': 'a=20b',
    '=': '=3D',
    '=20': '=3D20',
    é: '=C3=A9',
    '😀': '=F0=9F=98=80',
    '%:#?*': '=25=3A=23=3F=2A',
    '\n\0': '=0A=00',
  };
  for (const [plain, escaped] of Object.entries(table)) {
    t.equal(escapeName(plain), escaped, escaped);
    t.equal(unescapeName(escaped), plain, escaped);
  }
});

t.test('escaping is undone exactly, uses only allowed characters, and never makes two texts one', async () => {
  fc.assert(fc.property(text, (plain) => unescapeName(escapeName(plain)) === plain));
  fc.assert(fc.property(text, (plain) => /^[A-Za-z0-9/_+=.@-]*$/.test(escapeName(plain))));
  fc.assert(fc.property(text, text, (a, b) => a === b || escapeName(a) !== escapeName(b)));
});

t.test('any text can be escaped and unescaped: lone surrogates, broken escapes', async (t) => {
  t.equal(escapeName('a\uD800b'), 'a=EF=BF=BDb');
  t.equal(unescapeName('=FF'), '\uFFFD');
  t.equal(unescapeName('=3d=3'), '=3d=3', 'not of our making: left alone');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (any) => {
      unescapeName(any);
      return /^[A-Za-z0-9/_+=.@-]*$/.test(escapeName(any));
    }),
  );
});

t.test('a template takes the escaped parts of the ref', async (t) => {
  const ref = { namespace: 'team a', mount: 'kv', path: 'app/{mount}' };
  t.equal(secretName('{mount}/{path}', ref), 'kv/app/=7Bmount=7D');
  t.equal(secretName('x/{namespace}/{mount}-{mount}', ref), 'x/team=20a/kv-kv');
  t.equal(secretName('{other}', ref), '{other}');
});

t.test('a name of 512 characters is the longest', async (t) => {
  const ref = { namespace: '', mount: 'kv', path: 'deep' };
  t.doesNotThrow(() => checkName('x'.repeat(512), ref));
  t.throws(
    () => checkName('x'.repeat(513), ref),
    new ReplicationError(
      'name_invalid',
      'the name of kv/deep would have 513 characters; Secrets Manager allows 512: shorten the path, or set the route\'s "as"',
    ),
  );
});

t.test('a name that ends like an ARN', async (t) => {
  for (const name of ['kv/app-abc123', 'a-ABCDEF', 'a--000000']) t.ok(looksLikePartialArn(name), name);
  for (const name of [
    'kv/app-abc12',
    'kv/app-abc1234',
    'kv/app_abc123',
    'kv/app-abc12_',
    'kv/app-abc123/x',
    'abc123',
  ]) {
    t.notOk(looksLikePartialArn(name), name);
  }
});
