import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { createChangeReader } from '../../src/audit/change.ts';
import { parseEntry } from '../../src/audit/entry.ts';
import type { MountRef } from '../../src/replicate/ref.ts';
import { entryOf, kvEntry, REQUEST_ID, TIME, type Written } from './entries.ts';

const root = (mount: string): MountRef => ({ namespace: '', mount });
const KV = root('kv');
const ROUTES = [
  KV,
  root('kv1'),
  root('kv/nested'),
  root('team/kv'),
  root('new'),
  { namespace: 'team-a', mount: 'kv' },
  { namespace: 'team-a', mount: 'team-a/own' },
];
const VERSIONS: Readonly<Record<string, 1 | 2 | undefined>> = { kv1: 1, new: undefined };
const read = createChangeReader({
  routes: ROUTES,
  kvVersion: ({ mount }) => (mount in VERSIONS ? VERSIONS[mount] : 2),
});

function reading(value: unknown) {
  const entry = parseEntry(Buffer.from(JSON.stringify(value)));
  assert.ok(entry, 'the test wrote an entry');
  return read(entry);
}
const readWritten = (written: Written) => reading(entryOf(written));
const nothing = (why: string) => ({ kind: 'nothing', why });
/** `path` of the changed secret, or why there is none. */
const outcome = (value: unknown): string => {
  const result = reading(value);
  if (result.kind === 'change') return result.ref.path;
  return result.kind === 'sweep' ? `sweep: ${result.reason}` : `(${result.why})`;
};

t.test('KV v2 operations', async (t) => {
  const table: Readonly<Record<string, string>> = {
    'create data/P': 'P',
    'update data/P': 'P',
    'patch data/P': 'P',
    'recover data/P': 'P',
    'delete data/P': 'P',
    'update delete/P': 'P',
    'update undelete/P': 'P',
    'update destroy/P': 'P',
    'create metadata/P': 'P',
    'update metadata/P': 'P',
    'patch metadata/P': 'P',
    'delete metadata/P': 'P',
    'delete data/a/b/ c': 'a/b/ c',
    'update data/.a/..b/...': '.a/..b/...',
    'delete data/a/b/ c/': '(no_path)',
    'update data//a': '(no_path)',
    'update data/a/../b': '(no_path)',
    'update data/a/./b': '(no_path)',
    'update data/a\nb': '(no_path)',
    [`update data/${'x'.repeat(2_048)}`]: 'x'.repeat(2_048),
    [`update data/${'x'.repeat(2_049)}`]: '(path_too_long)',
    'update data/data/x': 'data/x',
    'delete delete/P': '(no_change)',
    'patch undelete/P': '(no_change)',
    'update config': '(no_change)',
    'update data/': '(no_change)',
    'update data': '(no_change)',
    'update dataset/P': '(no_change)',
    'update subkeys/P': '(no_change)',
    'update P': '(no_change)',
    'update ': '(no_change)',
    'read data/P': '(read)',
    'list metadata/P': '(read)',
    'scan metadata/P': '(read)',
    'help data/P': '(read)',
  };
  for (const [done, expected] of Object.entries(table)) {
    const space = done.indexOf(' ');
    t.equal(outcome(kvEntry(KV, done.slice(0, space), done.slice(space + 1))), expected, done);
  }
});

t.test('KV v1 operations', async (t) => {
  const table: Readonly<Record<string, string>> = {
    'create P': 'P',
    'update data/x': 'data/x',
    'delete a/b': 'a/b',
    'recover P': 'P',
    'patch P': '(no_change)',
    'update ': '(no_change)',
    'read P': '(read)',
    'list P/': '(read)',
  };
  for (const [done, expected] of Object.entries(table)) {
    const [operation = '', path = ''] = done.split(' ');
    t.equal(outcome(kvEntry(root('kv1'), operation, path)), expected, done);
  }
});

t.test('only a purge is told as one', async (t) => {
  const purged = (done: string, mount = KV) => {
    const result = reading(kvEntry(mount, ...(done.split(' ') as [string, string])));
    return result.kind === 'change' && result.hints.purge;
  };
  t.equal(purged('delete metadata/P'), true);
  for (const other of ['delete data/P', 'update destroy/P', 'update metadata/P'])
    t.equal(purged(other), undefined, other);
  t.equal(purged('delete metadata/P', { namespace: '', mount: 'kv1' }), undefined, 'a v1 secret may be called so');
});

t.test('a change carries its ref and hints', async (t) => {
  const written = { responseData: { version: 3, created_time: TIME } };
  const hints = { auditTime: TIME, requestId: REQUEST_ID };
  t.strictSame(reading(kvEntry(KV, 'update', 'data/app/db', written)), {
    kind: 'change',
    ref: { namespace: '', mount: 'kv', path: 'app/db' },
    kv: 2,
    hints: { version: 3, createdTime: TIME, ...hints },
  });
  t.strictSame(
    reading(kvEntry(root('kv1'), 'update', 'app/db', written)),
    { kind: 'change', ref: { namespace: '', mount: 'kv1', path: 'app/db' }, kv: 1, hints },
    'KV v1 has no versions',
  );
  const { time: _, request, ...rest } = kvEntry(KV, 'delete', 'data/a');
  const bare = { ...rest, request: { ...(request as object), id: 3 } };
  t.match(reading(bare), { kind: 'change', hints: {} });
});

t.test('only a response is a change', async (t) => {
  t.strictSame(readWritten({ type: 'request' }), nothing('request'));
});

t.test('a refused request changed nothing; any other error may have', async (t) => {
  t.strictSame(readWritten({ error: '1 error occurred:\n\t* permission denied\n\n' }), nothing('refused'));
  t.equal(readWritten({ error: '1 error occurred:\n\t* context canceled\n\n' }).kind, 'change');
  t.strictSame(
    readWritten({ path: 'sys/remount', mountType: 'system', error: 'permission denied' }),
    nothing('refused'),
  );
});

t.test('while the KV version is not known, what may be a change asks for a sweep', async (t) => {
  const sweep = { kind: 'sweep', reason: 'kv_version_unknown', mount: root('new') };
  t.strictSame(reading(kvEntry(root('new'), 'update', 'data/a')), sweep);
  t.strictSame(reading(kvEntry(root('new'), 'patch', 'data/a')), sweep);
  t.strictSame(reading(kvEntry(root('new'), 'create', 'config')), sweep);
  t.strictSame(reading(kvEntry(root('new'), 'patch', 'a')), nothing('no_change'));
  t.strictSame(reading(kvEntry(root('new'), 'update', '')), nothing('no_change'));
  t.strictSame(reading(kvEntry(root('new'), 'read', 'data/a')), nothing('read'));
  const [longest, longer] = ['x'.repeat(2_048), 'x'.repeat(2_049)];
  t.strictSame(reading(kvEntry(root('new'), 'update', `data/${longest}`)), sweep, 'it may be of version 2');
  t.strictSame(reading(kvEntry(root('new'), 'update', `data/${longer}`)), nothing('path_too_long'));
  t.strictSame(reading(kvEntry(root('new'), 'create', longer)), nothing('path_too_long'));
});

t.test('the mount is found by whole segments, in every spelling', async (t) => {
  // [namespace, mount_point, path, mount and path of the secret, or why there is none]
  const table: [string, string | undefined, string, string][] = [
    ['', 'kv/', 'kv/data/a', 'kv|a'],
    ['', '/kv/', 'kv/data/a', 'kv|a'],
    ['', 'team/kv/', 'team/kv/data/a', 'team/kv|a'],
    ['', 'kv/nested/', 'kv/nested/data/a', 'kv/nested|a'],
    ['', undefined, 'kv/nested/data/a', 'kv/nested|a'],
    ['', undefined, 'kv/data/a', 'kv|a'],
    ['', undefined, 'kv/', '(other_mount)'],
    ['', undefined, 'kvx/data/a', '(other_mount)'],
    ['', 'kvx/', 'kvx/data/a', '(other_mount)'],
    ['', 'k/', 'k/data/a', '(other_mount)'],
    ['', 'kv/', 'elsewhere/data/a', '(other_mount)'],
    ['', 'team-a/kv/', 'team-a/kv/data/a', '(other_mount)'],
    ['team-a', 'team-a/kv/', 'kv/data/a', 'kv|a'],
    ['team-a', 'kv/', 'kv/data/a', 'kv|a'],
    ['team-a', 'team-a/kv/', 'team-a/kv/data/a', 'kv|a'],
    ['team-a', undefined, 'kv/data/a', 'kv|a'],
    ['team-a', undefined, 'team-a/kv/data/a', 'kv|a'],
    ['team-a', 'team-a/own/', 'team-a/own/data/a', 'team-a/own|a'],
    ['team-a', 'team-a/team-a/own/', 'team-a/own/data/a', 'team-a/own|a'],
    ['team-a', 'team-a/kv1/', 'kv1/data/a', '(other_mount)'],
    ['team-a/sub', 'team-a/sub/kv/', 'kv/data/a', '(other_mount)'],
    ['team', 'team/kv/', 'kv/data/a', '(other_mount)'],
  ];
  for (const [namespace, mountPoint, path, expected] of table) {
    const result = readWritten({ namespace, mountPoint, path });
    const got =
      result.kind === 'change'
        ? `${result.ref.mount}|${result.ref.path}`
        : `(${result.kind === 'nothing' && result.why})`;
    t.equal(got, expected, `${namespace}: ${mountPoint} ${path}`);
    if (result.kind === 'change') t.equal(result.ref.namespace, namespace);
  }
});

t.test('KV is known by its type, or in old entries by taking a routed mount', async (t) => {
  for (const mountType of ['kv', 'generic', undefined]) {
    t.equal(readWritten({ mountType }).kind, 'change', `${mountType}`);
    t.equal(readWritten({ mountType, mountPoint: undefined }).kind, 'change', `${mountType} without mount_point`);
  }
  for (const mountType of ['cubbyhole', 'transit', 'KV', 'system']) {
    t.equal(readWritten({ mountType }).kind, 'nothing', mountType);
  }
});

t.test('changes of the mount table of routed mounts, remounts and restores ask for a sweep', async (t) => {
  // [namespace, operation path, reason and mount]
  const table: [string, string, string][] = [
    ['', 'update sys/mounts/kv', 'mounts kv'],
    ['', 'create sys/mounts/kv/', 'mounts kv'],
    ['', 'delete sys/mounts/team/kv', 'mounts team/kv'],
    ['', 'update sys/mounts/kv/tune', 'mounts kv'],
    ['', 'update sys/mounts/kv/nested', 'mounts kv/nested'],
    ['', 'update sys/mounts/kvx', '(other_mount)'],
    ['', 'update sys/mounts/team', '(other_mount)'],
    ['', 'update sys/mounts/', '(other_mount)'],
    ['', 'update sys/mounts', '(other_mount)'],
    ['', 'read sys/mounts/kv', '(read)'],
    ['', 'update sys/remount', 'remount'],
    ['', 'read sys/remount/status/1', '(read)'],
    ['', 'update sys/storage/raft/snapshot', 'snapshot_restore'],
    ['', 'update sys/storage/raft/snapshot-force', 'snapshot_restore'],
    ['', 'update sys/storage/raft/snapshot-auto/config/daily', '(other_mount)'],
    ['', 'read sys/storage/raft/snapshot', '(read)'],
    ['', 'update sys/policies/acl/kv', '(other_mount)'],
    ['team-a', 'update sys/mounts/kv', 'mounts kv'],
    ['team-a', 'update team-a/sys/mounts/kv', 'mounts kv'],
    ['team-a', 'update sys/mounts/kv1', '(other_mount)'],
    ['team-a', 'update sys/remount', 'remount'],
  ];
  for (const [namespace, done, expected] of table) {
    const [operation = '', path = ''] = done.split(' ');
    for (const mountType of ['system', 'ns_system']) {
      const result = readWritten({ namespace, operation, path, mountType, mountPoint: 'sys/' });
      const got =
        result.kind === 'sweep'
          ? [result.reason, result.mount?.mount].join(' ').trim()
          : result.kind === 'nothing' && `(${result.why})`;
      t.equal(got, expected, `${namespace}: ${done}`);
      if (result.kind === 'sweep' && result.mount) t.equal(result.mount.namespace, namespace);
    }
  }
  t.equal(outcome(entryOf({ path: 'sys/remount', mountType: undefined, mountPoint: undefined })), 'sweep: remount');
});

t.test('any entry can be read, and a change is always of a routed mount', async () => {
  const word = fc.constantFrom(
    'kv',
    'kv1',
    'new',
    'team-a',
    'team',
    'own',
    'data',
    'metadata',
    'sys',
    'mounts',
    'remount',
    '',
    'x',
  );
  const path = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => `${words.join('/')}/p`);
  const written = fc.record({
    type: fc.constantFrom('request', 'response'),
    operation: fc.constantFrom('create', 'update', 'patch', 'delete', 'read', 'list', 'odd'),
    namespace: fc.constantFrom('', 'team-a', 'team'),
    mountType: fc.constantFrom('kv', 'generic', 'system', 'ns_system', 'pki', undefined),
    mountPoint: fc.option(path, { nil: undefined }),
    path,
  });
  fc.assert(
    fc.property(written, (written) => {
      const result = readWritten(written);
      if (result.kind !== 'change') return;
      const { namespace, mount, path } = result.ref;
      assert.ok(ROUTES.some((route) => route.namespace === namespace && route.mount === mount));
      assert.ok(path.length > 0 && written.path.endsWith(path));
      assert.ok(written.type === 'response' && !['read', 'list', 'odd'].includes(written.operation));
    }),
    { numRuns: 2000 },
  );
});
