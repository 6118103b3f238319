import fc from 'fast-check';
import t from 'tap';
import { currentVersion } from '../../src/vault/metadata.ts';

const mount = { accessor: 'kv_1', kv: 2 } as const;
const createdTime = '2026-11-24T21:40:57.235646616Z';
const PAST = '2026-11-24T21:59:59.999Z';
const NOW = '2026-11-24T22:00:00Z';
const FUTURE = '2026-11-24T22:00:00.001Z';

/** Metadata whose current version is the third, with this said of it. */
const metadata = (entry: unknown, more: object = {}) => ({
  current_version: 3,
  versions: { '2': { created_time: 'x', deletion_time: '', destroyed: false }, '3': entry },
  ...more,
});
const entry = (more: object = {}) => ({ created_time: createdTime, deletion_time: '', destroyed: false, ...more });
const read = (body: unknown) => currentVersion(body, mount, Date.parse(NOW));
const latest = { version: 3, createdTime };

t.test('what metadata says of the current version', async (t) => {
  const present = { kind: 'present', mount, ...latest };
  const deleted = { kind: 'absent', mount, why: 'deleted', latest };
  const destroyed = { kind: 'absent', mount, why: 'destroyed', latest };
  const table: readonly (readonly [string, unknown, unknown])[] = [
    ['present', metadata(entry()), present],
    ['present until later (delete_version_after)', metadata(entry({ deletion_time: FUTURE })), present],
    ['deleted', metadata(entry({ deletion_time: PAST })), { ...deleted, deletionTime: PAST }],
    ['expired just now', metadata(entry({ deletion_time: NOW })), { ...deleted, deletionTime: NOW }],
    ['destroyed', metadata(entry({ destroyed: true })), destroyed],
    [
      'deleted, then destroyed',
      metadata(entry({ destroyed: true, deletion_time: PAST })),
      { ...destroyed, deletionTime: PAST },
    ],
    [
      'destroyed before it expires',
      metadata(entry({ destroyed: true, deletion_time: FUTURE })),
      { ...destroyed, deletionTime: FUTURE },
    ],
    ['metadata alone', { current_version: 0, versions: {} }, { kind: 'absent', mount, why: 'purged' }],
  ];
  for (const [what, body, state] of table) t.strictSame(read(body), state, what);
});

t.test('what says nothing readable must be looked at', async (t) => {
  for (const body of [
    undefined,
    null,
    'canary',
    {},
    [],
    metadata(undefined),
    metadata(null),
    metadata(entry({ created_time: 'yesterday' })),
    metadata(entry({ created_time: undefined })),
    metadata(entry({ created_time: 3 })),
    metadata(entry({ deletion_time: undefined })),
    metadata(entry({ deletion_time: 'tomorrow' })),
    metadata(entry({ destroyed: 'true' })),
    metadata(entry({ destroyed: undefined })),
    ...[4, -1, 1.5, '3', null, 2 ** 53].map((current_version) => metadata(entry(), { current_version })),
  ]) {
    t.equal(read(body), undefined, JSON.stringify(body));
  }
});

t.test('a version is present before its deletion_time and absent from then on', async () => {
  const moment = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(moment, moment, (due, now) => {
      const body = metadata(entry({ deletion_time: new Date(due).toISOString() }));
      return currentVersion(body, mount, now)?.kind === (due > now ? 'present' : 'absent');
    }),
  );
});

t.test('whatever the metadata is, nothing is thrown, and a state has the current version', async () => {
  const version = fc.record(
    {
      created_time: fc.oneof(fc.constant(createdTime), fc.string()),
      deletion_time: fc.oneof(fc.constantFrom('', PAST, FUTURE), fc.string()),
      destroyed: fc.oneof(fc.boolean(), fc.anything()),
    },
    { requiredKeys: [] },
  );
  const body = fc.record(
    {
      current_version: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.anything()),
      versions: fc.dictionary(fc.constantFrom('0', '1', '2', '3', '4'), version),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(body, fc.anything()), (said) => {
      const state = read(said);
      if (state === undefined) return true;
      const { current_version } = said as { current_version: unknown };
      if (state.kind === 'present') return state.version === current_version;
      return (state.latest?.version ?? 0) === current_version;
    }),
    { numRuns: 500 },
  );
});
