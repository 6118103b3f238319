import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { createEntryReader, type Read } from '../../src/ingress/entry-reader.ts';
import { entryOf, kvEntry } from '../audit/entries.ts';
import { bytesInUse } from '../bytes-in-use.ts';

const KV = { namespace: '', mount: 'kv' };
const SEARCH = createMarkerSearch(auditMarkers([KV]));
const entry = (path: string) => kvEntry(KV, 'update', `data/${path}`);
const line = (path: string) => JSON.stringify(entry(path));
const irrelevant = JSON.stringify(
  entryOf({ mountType: 'token', mountPoint: 'auth/token/', path: 'auth/token/lookup-self' }),
);

/** What is read of a body that comes in these chunks. */
function read(chunks: readonly (string | Buffer)[], maxLineBytes = 100_000): Read & { paths: string[] } {
  const paths: string[] = [];
  const reader = createEntryReader({
    search: SEARCH,
    maxLineBytes,
    onEntry: ({ path }) => paths.push(path.replace('kv/data/', '')),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return { ...reader.end(), paths };
}

function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const ends = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(end, ends[index + 1] ?? end));
}

const BODIES: readonly string[] = [
  line('one'),
  `${line('a')}\n${line('é')}\r\n\n${irrelevant}\n{"canary":1}\n${line('b')}`,
  JSON.stringify([entry('a'), entry('b')], null, 2),
  `[${line('a')},"canary",${irrelevant},${line('b')}`,
  ` \n${JSON.stringify(entry('a'), null, 1)}\n${JSON.stringify(entry('b'), null, '\t')}\n${line('c')}\n`,
  `{"open":\n${line('a')}\n${line('b')}\n`,
];

t.test('what is read does not depend on how the body was cut', async () => {
  for (const body of BODIES) {
    const whole = read([body]);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
        assert.deepEqual(read(cut(body, places)), whole);
      }),
      { numRuns: 100 },
    );
  }
});

t.test('one entry, lines and arrays, in every spelling of JSON', async (t) => {
  const expected = [['one'], ['a', 'é', 'b'], ['a', 'b'], ['a'], ['a', 'b', 'c'], ['a', 'b']];
  t.strictSame(
    BODIES.map((body) => read([body]).paths),
    expected,
  );
  t.strictSame(read([]).paths, []);
  t.match(read([' \n', '\t']), { bytes: 3, irrelevant: 0, malformed: { count: 0 } });
  t.strictSame(read([`@cee: ${line('a')}\n`]).paths, ['a'], 'with the prefix of an audit device');
});

t.test('what is no entry is counted by number, and takes nothing along', async (t) => {
  const malformed = (body: string, maxLineBytes?: number) => {
    const { paths, malformed: rejected } = read([body], maxLineBytes);
    return [paths, rejected];
  };
  t.strictSame(malformed(BODIES[1] ?? ''), [['a', 'é', 'b'], { count: 1, numbers: [4] }]);
  t.strictSame(malformed(BODIES[3] ?? ''), [['a'], { count: 2, numbers: [2, 4] }], 'the array is not closed');
  t.strictSame(malformed(BODIES[5] ?? ''), [['a', 'b'], { count: 1, numbers: [1] }], 'an object that never ends');
  t.strictSame(malformed(`{"open":"\n${line('a')}`), [['a'], { count: 1, numbers: [1] }], 'a string that never ends');
  t.strictSame(malformed(`{"open":\n"\n${line('a')}`), [['a'], { count: 2, numbers: [1, 2] }]);
  t.strictSame(
    malformed(`{"one":\n1}\n${line('a')}`),
    [['a'], { count: 2, numbers: [1, 2] }],
    'an object of two lines',
  );
  t.strictSame(malformed(`{"a":\n${'1\n'.repeat(1_000)}${line('b')}`, 1_500), [
    ['b'],
    { count: 1_001, numbers: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
  ]);
  t.strictSame(malformed('"canary"'), [[], { count: 1, numbers: [1] }]);
  t.strictSame(malformed(`[${line('a')}]x`), [['a'], { count: 1, numbers: [2] }]);
});

t.test('a line that is broken within a string holds up none of those after it', async (t) => {
  const paths: string[] = [];
  const onEntry = ({ path }: { path: string }) => paths.push(path);
  const reader = createEntryReader({ search: SEARCH, maxLineBytes: 100_000, onEntry });
  reader.push(Buffer.from(`{"open":"\n${line('a')}\n`));
  t.same(paths, ['kv/data/a'], 'before the body has ended');
});

t.test('what is too long is counted by number and never held', async (t) => {
  const long = line('x'.repeat(3_000));
  for (const body of [`${line('a')}\n${long}\n${line('b')}`, `[${line('a')},${long},${line('b')}]`]) {
    t.match(read([body], 2_000), { paths: ['a', 'b'], tooLong: { count: 1, numbers: [2] }, malformed: { count: 0 } });
  }
});

t.test('a line that is too long has its own number, and those of an object that it breaks have theirs', async (t) => {
  const { paths, malformed, tooLong } = read([`{"a":\n${'x'.repeat(3_000)}\n${line('b')}\ncanary`], 2_000);
  t.same([paths, malformed, tooLong], [['b'], { count: 2, numbers: [1, 4] }, { count: 1, numbers: [2] }]);
});

t.test('a million tiny lines after an open brace are held neither as many nor for long', async (t) => {
  const reader = createEntryReader({
    search: SEARCH,
    maxLineBytes: 1024 * 1024,
    onEntry() {},
  });
  const before = bytesInUse();
  reader.push(Buffer.from('{\n'));
  for (const tiny of ['\n', ' \r\n', '1\n', '{\n']) {
    const chunk = Buffer.from(tiny.repeat(16 * 1024));
    for (let sent = 0; sent < 16; sent += 1) reader.push(chunk);
  }
  t.ok(bytesInUse() - before < 8 * 1024 * 1024);
  t.equal(reader.end().malformed.count, 1 + 2 * 16 * 16 * 1024, 'and each that is not blank is counted');
});

t.test('an object of as many lines as a person would still look at', async (t) => {
  const keys = Array.from({ length: 5_000 }, (_, key) => `key-${key}`);
  const long = JSON.stringify(kvEntry(KV, 'update', 'data/a', { responseData: { keys } }), null, 1);
  t.match(read([`${long}\n${line('b')}`], 1024 * 1024), { paths: ['a', 'b'], malformed: { count: 0 } });
});

t.test('an entry that can change nothing here is not parsed', async (t) => {
  const broken = irrelevant.slice(0, -5);
  t.match(read([`${irrelevant}\n${broken}\n${line('a')}`]), { paths: ['a'], irrelevant: 2, malformed: { count: 0 } });
});

t.test('entries that a shipper has wrapped', async (t) => {
  const wrapped = [
    { message: line('vector'), host: 'node', source_type: 'file', timestamp: '2026-11-25T03:00:00Z' },
    { date: 1_795_575_600.1, log: line('fluent-bit') },
    { date: 1_795_575_600.1, log: `${line('docker')}\n`, stream: 'stdout' },
    { log: `2026-11-25T03:00:00Z stdout F ${line('kubernetes')}` },
    { message: entry('parsed') },
    { ...entry('beside'), host: 'node', '@timestamp': 'x' },
    { message: 'canary', log: line('second') },
  ];
  const paths = ['vector', 'fluent-bit', 'docker', 'kubernetes', 'parsed', 'beside', 'second'];
  t.strictSame(read([wrapped.map((one) => `${JSON.stringify(one)}\n`).join('')]).paths, paths);
  t.strictSame(read([JSON.stringify(wrapped)]).paths, paths);
  const slashes = JSON.stringify({ message: line('a').replaceAll('/', '\\/') });
  t.strictSame(read([slashes]).paths, ['a'], 'with slashes escaped twice over');
  for (const text of [
    { message: 'canary' },
    { log: 1 },
    { message: { canary: 1 } },
    { event: line('x') },
    [line('x')],
  ]) {
    t.match(read([`${JSON.stringify(text)}\n`]), { paths: [], malformed: { count: 1 } });
  }
});
