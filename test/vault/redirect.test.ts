import t from 'tap';
import { redirectTarget } from '../../src/vault/redirect.ts';

const here = 'https://vault-1.example:8200';
const path = '/v1/kv/data/a%20b%2Bc?list=true';

t.test('only another node of the same cluster is followed', async (t) => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [`https://vault-2.example:8200${path}`, 'https://vault-2.example:8200'],
    ['https://vault-2.example/v1/kv/data/a%20b+c?list=true', 'https://vault-2.example'],
    [path, here],
    [`http://vault-2.example:8200${path}`, undefined],
    [`ftp://vault-2.example${path}`, undefined],
    ['https://vault-2.example/v1/kv/data/b', undefined],
    ['/v1/kv/data/a', undefined],
    ['https://vault-2.example/v1/%FF', undefined],
    ['https://', undefined],
    [undefined, undefined],
  ];
  for (const [location, expected] of cases) t.equal(redirectTarget(here, path, location), expected, String(location));
});
