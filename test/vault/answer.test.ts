import t from 'tap';
import type { ReplicationError } from '../../src/errors.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { found, listedKeys, mountEntry } from '../../src/vault/answer.ts';
import { keysBody, mountBody, valueBody } from '../fakes/vault-http.ts';

const now = Date.parse('2026-11-24T22:00:00Z');
const createdTime = '2026-11-24T21:40:57.235646616Z';
const past = '2026-11-24T21:59:59.999999999Z';
const future = '2026-11-24T22:00:01Z';
const answer = (status: number, text: string) => ({ status, text: new Sensitive(text) });

t.test('what Vault serves is present, spelled as it was written', async (t) => {
  const value =
    '{ "n": 12345678901234567890, "f": 1.0, "e": 1e400, "h": "\\u003c\\u0026\\u003e", "__proto__": "\\u0000", "2": 1, "1": 2, "1": 3 }';
  const state = found(answer(200, valueBody(value, { version: 7 })), 'kv/a', now);
  t.match(state, { kind: 'present', version: 7, createdTime });
  t.equal(
    state.kind === 'present' && state.value.reveal(),
    '{"n":12345678901234567890,"f":1.0,"e":1e400,"h":"<&>","__proto__":"\\u0000","2":1,"1":2,"1":3}',
  );
});

t.test('a version whose deletion lies ahead is present, and one that holds null is nothing to copy', async (t) => {
  t.match(found(answer(200, valueBody('{}', { deletionTime: future })), 'kv/a', now), { kind: 'present' });
  t.throws(() => found(answer(200, valueBody('null')), 'kv/a', now), {
    code: 'value_unrepresentable',
    message: /kv\/a/,
  });
});

t.test('absence is told with its reason', async (t) => {
  const latest = { version: 3, createdTime };
  const cases: readonly (readonly [number, string, object])[] = [
    [404, '{"errors":[]}\n', { kind: 'absent', why: 'purged' }],
    [
      404,
      valueBody('null', { version: 3, deletionTime: past }),
      { kind: 'absent', why: 'deleted', latest, deletionTime: past },
    ],
    // Vault has judged by its own clock; ours may be a little behind.
    [
      404,
      valueBody('null', { version: 3, deletionTime: future }),
      { kind: 'absent', why: 'deleted', latest, deletionTime: future },
    ],
    [404, valueBody('null', { version: 3, destroyed: true }), { kind: 'absent', why: 'destroyed', latest }],
    [
      404,
      valueBody('null', { version: 3, destroyed: true, deletionTime: past }),
      { kind: 'absent', why: 'destroyed', latest, deletionTime: past },
    ],
    [
      200,
      valueBody('{}', { version: 3, deletionTime: past }),
      { kind: 'absent', why: 'deleted', latest, deletionTime: past },
    ],
    [200, valueBody('null', { version: 3, destroyed: true }), { kind: 'absent', why: 'destroyed', latest }],
  ];
  for (const [status, text, expected] of cases) t.strictSame(found(answer(status, text), 'kv/a', now), expected, text);
});

t.test('everything else proves nothing, and no word of the body is repeated', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [404, '{"errors":["canary"]}'],
    [404, '{"errors":[],"data":{"canary":1}}'],
    [404, '<html>canary</html>'],
    [404, ''],
    [404, 'null'],
    [404, '[]'],
    [404, '{"data":null,"warnings":["canary"]}'],
    [404, valueBody('null')],
    [404, valueBody('null', { deletionTime: 'canary' })],
    [404, valueBody('null', { version: 0, deletionTime: past })],
    [200, '{"errors":[]}'],
    [200, 'canary'],
    [200, valueBody('null', { destroyed: true }).replace('{', '{"errors":["canary"],')],
    [200, valueBody('"canary"')],
    [200, valueBody('["canary"]')],
    [200, valueBody('17')],
    [200, valueBody('{}', { version: 1.5 })],
    [200, valueBody('{}', { createdTime: 'canary' })],
    [200, valueBody('{}', { deletionTime: 'canary' })],
    [200, valueBody('{"a":"canary"}').replace('"data":{"data"', '"data":{"other"')],
    ...[204, 301, 307, 400, 412, 429, 472, 473, 500, 502, 503].map((status) => [status, '{"errors":[]}'] as const),
  ];
  for (const [status, text] of cases) {
    const error = t.throws(() => found(answer(status, text), 'kv/a', now), {
      code: 'source_unavailable',
    }) as ReplicationError;
    t.match(error.message, `Vault answered ${status} for kv/a`);
    t.notMatch(error.message, 'canary');
  }
});

t.test('a mount tells its version and accessor', async (t) => {
  const kv = { namespace: '', mount: 'kv' };
  const cases: readonly (readonly [string, number])[] = [
    [mountBody('kv'), 2],
    [mountBody('kv', 'kv_1', 'kv', '{"version":"1"}'), 1],
    [mountBody('kv', 'kv_1', 'kv', '{}'), 1],
    [mountBody('kv', 'kv_1', 'kv', 'null'), 1],
    [mountBody('kv', 'kv_1', 'generic', 'null'), 1],
  ];
  for (const [text, version] of cases) {
    t.strictSame(mountEntry(answer(200, text), kv), { accessor: 'kv_1', kv: version }, text);
  }
  t.match(mountEntry(answer(200, mountBody('team/kv')), { namespace: 'team', mount: 'kv' }), { kv: 2 });
});

t.test('a mount of another type is a mismatch that names the type', async (t) => {
  const kv = { namespace: 'team', mount: 'kv' };
  for (const [type, options] of [
    ['transit', '{}'],
    ['kv', '{"version":"3"}'],
    ['generic', '{"version":"2"}'],
  ] as const) {
    const text = mountBody('kv', 'x_1', type, options);
    const error = t.throws(() => mountEntry(answer(200, text), kv), {
      code: 'mount_version_mismatch',
    }) as ReplicationError;
    t.match(error.message, `"${type}"`);
    t.match(error.message, 'team:kv');
  }
});

t.test('a mount that does not show itself proves nothing', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [403, '{"errors":["preflight capability check returned 403"]}'],
    [404, '{"errors":["namespace not found"]}'],
    [200, 'text'],
    [200, mountBody('k')],
    [200, mountBody('kv', '')],
    [200, '{"data":{"path":"kv/","accessor":"kv_1"}}'],
  ];
  for (const [status, text] of cases) {
    t.throws(
      () => mountEntry(answer(status, text), { namespace: '', mount: 'kv' }),
      { code: 'source_unavailable' },
      text,
    );
  }
});

t.test('a folder lists its keys, and an empty one none', async (t) => {
  t.strictSame(listedKeys(answer(200, keysBody('a', 'a/')), 'kv/'), ['a', 'a/']);
  t.strictSame(listedKeys(answer(404, '{"errors":[]}'), 'kv/'), []);
  for (const [status, text] of [
    [404, '{"errors":["no handler"]}'],
    [404, '<html>'],
    [200, '{"data":{"keys":[1]}}'],
    [200, '{}'],
    [500, keysBody('a')],
  ] as const) {
    t.throws(() => listedKeys(answer(status, text), 'kv/'), { code: 'source_unavailable' }, text);
  }
});
