import fc from 'fast-check';
import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { entryPath, listPath, valuePath } from '../../src/vault/path.ts';

t.test('every character of a path reaches Vault as itself', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['app/db', '/kv/data/app/db'],
    ['a b', '/kv/data/a%20b'],
    ['100%', '/kv/data/100%25'],
    ['%2F', '/kv/data/%252F'],
    ['a#b?c+d', '/kv/data/a%23b%3Fc%2Bd'],
    ['é/{{x}}', '/kv/data/%C3%A9/%7B%7Bx%7D%7D'],
    ['&#x2F;', '/kv/data/%26%23x2F%3B'],
    ['..a/b..', '/kv/data/..a/b..'],
    ['...', '/kv/data/...'],
  ];
  for (const [path, expected] of cases) t.equal(valuePath({ namespace: 'team', mount: 'kv', path }), expected, path);
  t.equal(entryPath({ namespace: '', mount: 'a b/c' }), '/sys/internal/ui/mounts/a%20b/c');
  t.equal(listPath({ namespace: '', mount: 'a/b' }, ''), '/a/b/metadata/?list=true');
  t.equal(listPath({ namespace: '', mount: 'kv' }, 'x #/y/'), '/kv/metadata/x%20%23/y/?list=true');
});

t.test('a path that Vault would tidy into another is refused, naming the ref', async (t) => {
  for (const path of [
    '',
    '/',
    'a//b',
    '/a',
    'a/',
    '.',
    '..',
    'a/./b',
    'a/../b',
    'a\nb',
    'a\u0000',
    'a\ud800b',
    'a\u0085',
  ]) {
    const thrown = t.throws(
      () => valuePath({ namespace: '', mount: 'kv', path }),
      ReplicationError,
      JSON.stringify(path),
    );
    t.match(thrown, { code: 'source_forbidden' });
  }
  t.throws(() => entryPath({ namespace: '', mount: '../sys' }), { code: 'source_forbidden' });
  t.throws(() => listPath({ namespace: '', mount: 'kv' }, 'a//'), { code: 'source_forbidden' });
  t.throws(() => valuePath({ namespace: '', mount: 'kv', path: 'a/../b' }), /kv\/a\/\.\.\/b/);
});

t.test('decoding an encoded path gives the path back', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (path) => {
      const ref = { namespace: '', mount: 'kv', path };
      try {
        const encoded = valuePath(ref);
        return decodeURIComponent(encoded) === `/kv/data/${path}` && !/[?#&;{} ]/.test(encoded);
      } catch (error) {
        return error instanceof ReplicationError;
      }
    }),
  );
  t.pass();
});
