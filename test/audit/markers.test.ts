import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { createChangeReader, type Reading } from '../../src/audit/change.ts';
import { parseEntry } from '../../src/audit/entry.ts';
import { createLineScanner } from '../../src/audit/lines.ts';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import type { MountRef } from '../../src/replicate/ref.ts';
import { ENCODERS, entryOf, kvEntry } from './entries.ts';

/** The bytes as the socket's path reads them: scanner with the routes' markers, then parser, then reader. */
function readingsOf(routes: readonly MountRef[], kv: 1 | 2, bytes: Buffer): Reading[] {
  const read = createChangeReader({ routes, kvVersion: () => kv });
  const readings: Reading[] = [];
  const scanner = createLineScanner({
    search: createMarkerSearch(auditMarkers(routes)),
    maxLineBytes: 1024 * 1024,
    onLine: (line) => {
      const entry = parseEntry(line);
      if (entry !== undefined) readings.push(read(entry));
    },
    onSkipped: () => assert.fail('no line is too long'),
  });
  scanner.push(bytes);
  scanner.end();
  return readings;
}

const KINDS_OF_CHAR = [
  'a',
  'K',
  '7',
  '-',
  '_',
  '.',
  ' ',
  '<',
  '>',
  '&',
  'é',
  'ß',
  '中',
  '🔑',
  '\u2028',
  '"',
  '\\',
  '%',
];
const segment = fc
  .string({ unit: fc.constantFrom(...KINDS_OF_CHAR), minLength: 1, maxLength: 6 })
  .filter((text) => text !== '.' && text !== '..');
const segments = (minLength: number) => fc.array(segment, { minLength, maxLength: 3 }).map((parts) => parts.join('/'));
const route = fc.record({ namespace: segments(0), mount: segments(1) });
const encoder = fc.constantFrom(...Object.keys(ENCODERS));
const encode = (name: string, value: unknown): Buffer => Buffer.from(`${ENCODERS[name]?.(value)}\n`);

t.test('no line that changes a routed secret is lost, however mount and JSON are spelled', async () => {
  const v2 = fc.constantFrom(
    ...['create data', 'update data', 'patch data', 'delete data', 'update delete', 'update undelete'],
    ...['update destroy', 'create metadata', 'update metadata', 'patch metadata', 'delete metadata'],
  );
  const spelling = fc.constantFrom('bare', 'namespaced', 'absent');
  fc.assert(
    fc.property(route, segments(1), v2, spelling, encoder, (route, path, change, spelling, name) => {
      const [operation = '', folder] = change.split(' ');
      const { namespace, mount } = route;
      const point = { bare: `${mount}/`, namespaced: `${namespace}/${mount}/`, absent: undefined }[spelling];
      const old = spelling === 'absent' ? { mountType: undefined } : {};
      const entry = kvEntry(route, operation, `${folder}/${path}`, { mountPoint: point, ...old });
      const [reading] = readingsOf([route, { namespace: 'else', mount: 'where' }], 2, encode(name, entry));
      assert.equal(reading?.kind, 'change');
      assert.deepEqual(reading?.kind === 'change' && reading.ref, { ...route, path });
    }),
    { numRuns: 1000 },
  );
});

t.test('a KV v1 secret may have any path, and is not lost either', async () => {
  fc.assert(
    fc.property(route, segments(1), encoder, (route, path, name) => {
      const [reading] = readingsOf([route], 1, encode(name, kvEntry(route, 'create', path)));
      assert.deepEqual(reading?.kind === 'change' && reading.ref, { ...route, path });
    }),
  );
});

t.test('no change of the mount table and no restore is lost', async () => {
  const system = (route: MountRef) => ({
    mounts: `sys/mounts/${route.mount}`,
    remount: 'sys/remount',
    snapshot_restore: 'sys/storage/raft/snapshot-force',
  });
  const reason = fc.constantFrom('mounts' as const, 'remount' as const, 'snapshot_restore' as const);
  fc.assert(
    fc.property(route, reason, encoder, (route, reason, name) => {
      const { namespace } = route;
      const path = system(route)[reason];
      const entry = entryOf({ namespace, path, mountType: 'ns_system', mountPoint: `${namespace}/sys/` });
      const [reading] = readingsOf([route], 2, encode(name, entry));
      assert.equal(reading?.kind === 'sweep' && reading.reason, reason);
    }),
  );
});

t.test('denied and failed lines never become changes', async () => {
  const error = fc.constantFrom(
    'permission denied',
    '1 error occurred:\n\t* permission denied\n\n',
    '1 error occurred:\n\t* invalid request\n\n',
    'check-and-set parameter did not match the current version',
  );
  fc.assert(
    fc.property(route, segments(1), error, encoder, fc.constantFrom(1, 2), (route, path, error, name, kv) => {
      const entry = kvEntry(route, 'update', `data/${path}`, { error });
      const readings = readingsOf([route], kv, encode(name, entry));
      assert.ok(readings.every(({ kind }) => kind === 'nothing'));
    }),
  );
});

t.test('lines of other mounts are not even parsed', async (t) => {
  const others = ['cubbyhole', 'xkv', 'kv2', 'auth/kv-approle'].map((mount) =>
    kvEntry({ namespace: '', mount }, 'update', 'data/a'),
  );
  const bytes = Buffer.from(others.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  let handed = 0;
  const scanner = createLineScanner({
    search: createMarkerSearch(auditMarkers([{ namespace: '', mount: '/kv' }])),
    maxLineBytes: 10_000,
    onLine: () => {
      handed += 1;
    },
    onSkipped: () => t.fail('none is too long'),
  });
  scanner.push(bytes);
  t.equal(handed, 0);
});

t.test('one marker serves all routes of a mount, and control characters leave only the backslash', async (t) => {
  const texts = (...mounts: string[]) =>
    auditMarkers(mounts.map((mount) => ({ namespace: 'n', mount }))).map((marker) => marker.toString());
  const always = ['sys/mounts', 'sys/remount', 'storage/raft/snapshot', '\\u', '\\/'];
  t.strictSame(texts('kv', 'kv', 'team/<é>'), ['kv/', 'team/<é>/', ...always]);
  t.strictSame(texts('a"b', 'a\\b', 'a\nb'), ['\\', ...always]);
});
