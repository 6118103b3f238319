import fc from 'fast-check';
import t from 'tap';
import type { AuditEntry } from '../../src/audit/entry.ts';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { createConnection } from '../../src/ingress/connection.ts';
import { entryOf, kvEntry } from '../audit/entries.ts';

const KV = { namespace: '', mount: 'kv' };
const SEARCH = createMarkerSearch(auditMarkers([KV]));
const login = JSON.stringify(
  entryOf({ mountType: 'token', mountPoint: 'auth/token/', path: 'auth/token/lookup-self' }),
);
const request = JSON.stringify(kvEntry(KV, 'update', 'data/a', { type: 'request' }));
const write = (path: string) => JSON.stringify(kvEntry(KV, 'update', `data/${path}`));

function connect(maxLineBytes = 10_000) {
  const entries: AuditEntry[] = [];
  const events: string[] = [];
  const connection = createConnection({
    search: SEARCH,
    maxLineBytes,
    onEntry: (entry) => entries.push(entry),
    onVault: () => events.push('vault'),
    onMalformed: (lines) => events.push(...Array(lines).fill('malformed')),
    onSkipped: (bytes) => events.push(`skipped ${bytes}`),
  });
  return { connection, events, paths: () => entries.map(({ type, path }) => `${type} ${path}`) };
}

t.test(
  'the first valid line, whatever it is about, tells that this is Vault; later ones of no interest are not read',
  (t) => {
    const { connection, events, paths } = connect();
    connection.push(Buffer.from(`${login}\n`));
    t.same([events, paths()], [['vault'], ['response auth/token/lookup-self']]);
    connection.push(Buffer.from(`${login}\n${request}\n${write('a')}\nno entry at all\n${write('b')}\n`));
    t.same([events, paths().slice(1)], [['vault'], ['response kv/data/a', 'response kv/data/b']]);
    t.match(connection.counts, { lines: 6, handed: 3, skipped: 0 });
    t.end();
  },
);

t.test('the request line of a write proves Vault too', (t) => {
  const { connection, events } = connect();
  connection.push(Buffer.from(`${request}\n`));
  t.same(events, ['vault']);
  t.end();
});

t.test('junk, a health check and half a line prove nothing', (t) => {
  for (const [text, malformed] of [
    ['', 0],
    ['GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 3],
    ['{"type":"response"}\n[]\n{}\nnull\n', 4],
    [write('a'), 0],
    ['\u0000\u0001\u0002\n', 1],
  ] as const) {
    const { connection, events, paths } = connect();
    connection.push(Buffer.from(text));
    connection.end();
    t.same([events, paths()], [Array(malformed).fill('malformed'), []]);
  }
  t.end();
});

t.test('malformed lines are told once for what was pushed', (t) => {
  const told: number[] = [];
  const connection = createConnection({
    search: SEARCH,
    maxLineBytes: 10_000,
    onEntry() {},
    onVault() {},
    onMalformed: (lines) => told.push(lines),
    onSkipped() {},
  });
  connection.push(Buffer.from('\n'.repeat(5_000)));
  connection.push(Buffer.from(`junk\n${login}\n`));
  connection.push(Buffer.from(`${login}\n`));
  t.same(told, [5_000, 1]);
  t.end();
});

t.test('what is malformed later, and looks of interest, is told too', (t) => {
  const { connection, events } = connect();
  connection.push(Buffer.from(`${login}\nkv/ is no entry\nnor is this\n`));
  t.same(events, ['vault', 'malformed']);
  t.end();
});

t.test('a line over the bound is told with its length, and the stream goes on', (t) => {
  const { connection, events, paths } = connect(1_000);
  connection.push(Buffer.from(`${'x'.repeat(5_000)}`));
  connection.push(Buffer.from(`${'x'.repeat(5_000)}\n${write('a')}\n${'y'.repeat(1_001)}\n${write('b')}\n`));
  t.same(events, ['skipped 10000', 'vault', 'skipped 1001']);
  t.same(paths(), ['response kv/data/a', 'response kv/data/b']);
  t.end();
});

t.test('how the bytes are cut changes nothing', (t) => {
  const text = `junk\n${login}\n${write('é/😀')}\r\n${request}\n${'z'.repeat(2_000)}\n${write('b')}\n`;
  const whole = connect(1_500);
  whole.connection.push(Buffer.from(text));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }), (sizes) => {
      const cut = connect(1_500);
      const bytes = Buffer.from(text);
      for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        cut.connection.push(Buffer.from(bytes.subarray(start, start + size)));
        start += size;
      }
      const { bytes: counted, lines } = cut.connection.counts;
      const seen = JSON.stringify([cut.events.toSorted(), cut.paths(), counted, lines]);
      const { counts } = whole.connection;
      return seen === JSON.stringify([whole.events.toSorted(), whole.paths(), counts.bytes, counts.lines]);
    }),
  );
  t.same(whole.paths().slice(1), ['response kv/data/é/😀', 'response kv/data/b']);
  t.end();
});
