import fc from 'fast-check';
import t from 'tap';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { compactTime, isOlder, momentOf, momentOfId, versionId } from '../../src/replicate/version-id.ts';

const ref: SecretRef = { namespace: '', mount: 'kv', path: 'app/db' };

/** A moment in nanoseconds, and its RFC 3339 text as Go writes it: trailing zeros trimmed. */
const instant = fc
  .record({ ms: fc.integer({ min: 0, max: 4_102_444_800_000 }), nanos: fc.integer({ min: 0, max: 999_999 }) })
  .map(({ ms, nanos }) => {
    const fraction = `${String(ms % 1000).padStart(3, '0')}${String(nanos).padStart(6, '0')}`.replace(/0+$/, '');
    const text = `${new Date(ms).toISOString().slice(0, 19)}${fraction && `.${fraction}`}Z`;
    return { order: BigInt(ms) * 1_000_000n + BigInt(nanos), text };
  });
const version = fc.integer({ min: 1, max: 2_147_483_647 });
const text = fc.string({ unit: 'grapheme', minLength: 1 });
const refs = fc.record({ namespace: fc.string(), mount: text, path: text });

t.test('a created_time is padded to nanoseconds', async (t) => {
  const table: Readonly<Record<string, string | undefined>> = {
    '2026-11-24T21:40:57.235646616Z': '20261124T214057235646616Z',
    '2026-11-24T21:40:57.2356Z': '20261124T214057235600000Z',
    '2026-11-24T21:40:57.1Z': '20261124T214057100000000Z',
    '2026-11-24T21:40:57Z': '20261124T214057000000000Z',
    '2026-11-24T21:40:57.1234567891Z': undefined,
    '2026-11-24T21:40:57.Z': undefined,
    '2026-11-24T21:40:57+01:00': undefined,
    '2026-11-24 21:40:57Z': undefined,
    'x2026-11-24T21:40:57Z': undefined,
    '2026-11-24T21:40:57Z\n': undefined,
    '': undefined,
  };
  for (const [time, compact] of Object.entries(table)) t.equal(compactTime(time), compact, time);
});

t.test('text order of compact times is time order', async () => {
  fc.assert(
    fc.property(instant, instant, (a, b) => {
      const [x = '', y = ''] = [compactTime(a.text), compactTime(b.text)];
      return x < y === a.order < b.order && (x === y) === (a.order === b.order);
    }),
  );
});

t.test('an id names version, time and ref, as Secrets Manager wants a token', async (t) => {
  const id = versionId(ref, { version: 3, createdTime: '2026-11-24T21:40:57.235646616Z' });
  t.match(id, /^v3-20261124T214057235646616Z-[0-9a-f]{24}$/);
  t.equal(id, versionId(ref, { version: 3, createdTime: '2026-11-24T21:40:57.235646616Z' }));
  fc.assert(
    fc.property(refs, version, instant, (any, number, { text: createdTime }) =>
      /^[A-Za-z0-9-]{32,64}$/.test(versionId(any, { version: number, createdTime })),
    ),
  );
});

t.test('the same rendering keeps its id for good', async (t) => {
  const id = versionId(
    { namespace: 'team-a', mount: 'kv', path: 'x' },
    { version: 1, createdTime: '2026-01-01T00:00:00Z' },
  );
  // SHA-256 of [1,"team-a","kv","x",{}]: another value here would write every copy once more.
  t.equal(id, 'v1-20260101T000000000000000Z-02b4aa849b493df3ce1b8888');
});

t.test('two refs never share an id, whatever their parts look like joined', async (t) => {
  const createdTime = '2026-11-24T21:40:57Z';
  const of = (one: SecretRef) => versionId(one, { version: 1, createdTime });
  t.not(of({ namespace: '', mount: 'kv', path: 'a/b' }), of({ namespace: '', mount: 'kv/a', path: 'b' }));
  t.not(of({ namespace: 'kv', mount: 'a', path: 'b' }), of({ namespace: '', mount: 'kv/a', path: 'b' }));
  fc.assert(
    fc.property(
      refs,
      refs,
      (a, b) => JSON.stringify(Object.values(a)) === JSON.stringify(Object.values(b)) || of(a) !== of(b),
    ),
  );
});

t.test('an id tells its moment again', async () => {
  fc.assert(
    fc.property(refs, version, instant, (any, number, { text: createdTime }) => {
      const moment = momentOfId(versionId(any, { version: number, createdTime }));
      return moment?.version === number && moment.time === momentOf({ version: number, createdTime })?.time;
    }),
  );
});

t.test('an id that is not ours has no moment', async (t) => {
  const hash = '0123456789abcdef01234567';
  const ids = [
    '',
    '00000000-0000-4000-8000-000000000001',
    `k1-20261124T214057235646616Z-${hash}`,
    `v-20261124T214057235646616Z-${hash}`,
    `v12345678901-20261124T214057235646616Z-${hash}`,
    `v1-20261124T214057Z-${hash}`,
    `v1-undefined-${hash}`,
    `v1-20261124T214057235646616Z-${hash}0`,
    `xv1-20261124T214057235646616Z-${hash}`,
  ];
  for (const id of ids) t.equal(momentOfId(id), undefined, id);
});

t.test('a version whose created_time cannot be read has no moment', async (t) => {
  t.equal(momentOf({ version: 1, createdTime: 'yesterday' }), undefined);
  t.same(momentOf({ version: 1, createdTime: '2026-11-24T21:40:57Z' }), {
    version: 1,
    time: '20261124T214057000000000Z',
  });
});

t.test('older is by time first, then by version', async (t) => {
  const moment = (time: string, number: number) => ({ time, version: number });
  t.ok(isOlder(moment('1', 9), moment('2', 1)), 'created anew at version 1');
  t.notOk(isOlder(moment('2', 1), moment('1', 9)));
  t.ok(isOlder(moment('1', 1), moment('1', 2)), 'two versions of one instant');
  t.notOk(isOlder(moment('1', 2), moment('1', 1)));
  t.notOk(isOlder(moment('1', 1), moment('1', 1)), 'the same');
});
