import t from 'tap';
import { createChangeReader, type Reading } from '../../src/audit/change.ts';
import { parseEntry } from '../../src/audit/entry.ts';
import { createLineScanner } from '../../src/audit/lines.ts';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { ENCODERS, REQUEST_ID, TIME } from './entries.ts';

/** What was done, for the writers below: each writes it with the fields, and in their order, of one Vault. */
interface Done {
  readonly type?: 'request' | 'response';
  readonly operation?: string;
  readonly namespace?: string;
  readonly mountType?: string;
  /** Of the mount, with its slash. */
  readonly mount: string;
  readonly below: string;
  readonly version?: number;
  readonly error?: string;
}

const HMAC = 'hmac-sha256:7f0de05a1ee6c26a0d5d48d3d5c1f0a3b7fc2a4d1f2e68a8d1c7c9bd3a51d1f0';
const ACCESSOR = 'hmac-sha256:2b5a1c';
const namespaceOf = ({ namespace }: Done) =>
  namespace === undefined ? { id: 'root' } : { id: 'Xr1aB', path: `${namespace}/` };
const pathOf = ({ mount, below }: Done) => `${mount}${below}`;
const madeBy = ({ version }: Done) =>
  version === undefined
    ? undefined
    : { created_time: TIME, custom_metadata: null, deletion_time: '', destroyed: false, version };
const operationOf = ({ operation = 'update' }: Done) => operation;

/** Vault to 0.11: no mount at all, times of whole seconds, and empty fields are written. */
const early = (done: Done) => ({
  time: '2018-03-01T10:11:12Z',
  type: done.type ?? 'response',
  auth: {
    client_token: HMAC,
    accessor: ACCESSOR,
    display_name: 'approle',
    policies: ['default', 'app'],
    metadata: null,
  },
  request: {
    id: REQUEST_ID,
    operation: operationOf(done),
    client_token: HMAC,
    client_token_accessor: ACCESSOR,
    namespace: { id: 'root', path: '' },
    path: pathOf(done),
    data: { data: { password: HMAC } },
    policy_override: false,
    remote_address: '10.0.0.7',
    wrap_ttl: 0,
    headers: {},
  },
  ...(done.type !== 'request' && { response: { data: madeBy(done) } }),
  error: done.error ?? '',
});

/** Vault 1.12: mount_type, and neither mount_point nor mount_class. */
const of112 = (done: Done) => ({
  time: TIME,
  type: done.type ?? 'response',
  auth: {
    client_token: HMAC,
    accessor: ACCESSOR,
    display_name: 'approle',
    policies: ['app', 'default'],
    token_policies: ['app', 'default'],
    policy_results: { allowed: true, granting_policies: [{ name: 'app', namespace_id: 'root', type: 'acl' }] },
    metadata: { role_name: 'app' },
    entity_id: '5b1a3c1e-0c7b-3b5c-1b7d-0a8e7bca6a3a',
    token_type: 'service',
    token_ttl: 3600,
    token_issue_time: '2026-11-24T21:40:11Z',
  },
  request: {
    id: REQUEST_ID,
    client_id: '5b1a3c1e-0c7b-3b5c-1b7d-0a8e7bca6a3a',
    operation: operationOf(done),
    mount_type: done.mountType ?? 'kv',
    client_token: HMAC,
    client_token_accessor: ACCESSOR,
    namespace: namespaceOf(done),
    path: pathOf(done),
    data: { data: { password: HMAC }, options: {} },
    remote_address: '10.0.0.7',
    remote_port: 51422,
  },
  ...(done.type !== 'request' && {
    response: { mount_type: done.mountType ?? 'kv', data: madeBy(done) },
  }),
  error: done.error,
});

/** Vault 1.21: its keys are sorted, so `type` is the last; plugin fields, and the request's URI. */
const of121 = (done: Done) => {
  const plugin = {
    mount_accessor: 'kv_0f1e2d3c',
    mount_class: 'secret',
    mount_point: done.mount,
    mount_running_version: 'v0.25.0+builtin',
    mount_type: done.mountType ?? 'kv',
  };
  return {
    time: TIME,
    auth: {
      accessor: ACCESSOR,
      client_token: HMAC,
      display_name: 'approle',
      entity_id: '5b1a3c1e-0c7b-3b5c-1b7d-0a8e7bca6a3a',
      metadata: { role_name: 'app' },
      policies: ['app', 'default'],
      policy_results: { allowed: true, granting_policies: [{ name: 'app', namespace_id: 'root', type: 'acl' }] },
      token_issue_time: '2026-11-24T21:40:11Z',
      token_policies: ['app', 'default'],
      token_ttl: 3600,
      token_type: 'service',
    },
    error: done.error,
    request: {
      client_id: '5b1a3c1e-0c7b-3b5c-1b7d-0a8e7bca6a3a',
      client_token: HMAC,
      client_token_accessor: ACCESSOR,
      data: { data: { password: HMAC }, options: {} },
      id: REQUEST_ID,
      ...plugin,
      namespace: namespaceOf(done),
      operation: operationOf(done),
      path: pathOf(done),
      remote_address: '10.0.0.7',
      remote_port: 51422,
      request_uri: `/v1/${pathOf(done)}`,
    },
    ...(done.type !== 'request' && { response: { data: madeBy(done), ...plugin } }),
    type: done.type ?? 'response',
  };
};

const WRITERS = { early, '1.12': of112, '1.21': of121 };
type Writer = keyof typeof WRITERS;
const ALL = Object.keys(WRITERS) as Writer[];

const ROUTES = [
  { namespace: '', mount: 'kv' },
  { namespace: '', mount: 'team/kv' },
  { namespace: '', mount: 'old' },
  { namespace: 'team-a', mount: 'kv' },
];
const read = createChangeReader({ routes: ROUTES, kvVersion: ({ mount }) => (mount === 'old' ? 1 : 2) });

const CHECK_AND_SET = 'check-and-set parameter did not match the current version';

// What was done | by which Vaults | what it is to us: the secret, "nothing" where no line is even handed over, or why nothing
const TABLE: readonly (readonly [Done, readonly Writer[], string])[] = [
  [{ mount: 'kv/', below: 'data/app/db', version: 3 }, ALL, 'kv app/db v3'],
  [{ mount: 'kv/', below: 'data/app/db', version: 1, operation: 'create' }, ALL, 'kv app/db v1'],
  [{ mount: 'kv/', below: 'data/app/db', operation: 'delete' }, ALL, 'kv app/db'],
  [{ mount: 'kv/', below: 'metadata/app/db', operation: 'delete' }, ALL, 'kv app/db purged'],
  [{ mount: 'kv/', below: 'destroy/app/db' }, ALL, 'kv app/db'],
  [{ mount: 'team/kv/', below: 'data/app/db', version: 2 }, ALL, 'team/kv app/db v2'],
  [{ mount: 'kv/', below: 'data/grüße/<&>', version: 2 }, ALL, 'kv grüße/<&> v2'],
  [{ mount: 'kv/', below: 'data/app', version: 2, namespace: 'team-a' }, ['1.12', '1.21'], 'team-a:kv app v2'],
  [{ mount: 'kv/', below: 'data/app', namespace: 'team-b' }, ['1.12', '1.21'], 'other_mount'],
  [{ mount: 'old/', below: 'app/db', mountType: 'generic' }, ALL, 'old app/db'],
  [{ mount: 'old/', below: 'data/x', mountType: 'kv', operation: 'delete' }, ALL, 'old data/x'],
  [{ mount: 'kv/', below: 'data/app', mountType: 'transit' }, ['1.12', '1.21'], 'not_kv'],
  [{ mount: 'kv/', below: 'data/app', type: 'request' }, ALL, 'nothing'],
  [{ mount: 'kv/', below: 'data/app', operation: 'read', version: 3 }, ALL, 'nothing'],
  [{ mount: 'other/', below: 'data/app', version: 3 }, ALL, 'nothing'],
  [{ mount: 'kv/', below: 'data/app', error: `1 error occurred:\n\t* permission denied\n\n` }, ALL, 'refused'],
  [{ mount: 'kv/', below: 'data/app', error: CHECK_AND_SET }, ALL, 'refused'],
  [{ mount: 'kv/', below: 'data/app', error: 'context canceled' }, ALL, 'kv app'],
];

function told(reading: Reading): string {
  if (reading.kind === 'nothing') return reading.why;
  if (reading.kind === 'sweep') return reading.reason;
  const { ref, hints } = reading;
  const mount = ref.namespace === '' ? ref.mount : `${ref.namespace}:${ref.mount}`;
  const version = hints.version === undefined ? '' : ` v${hints.version}`;
  return `${mount} ${ref.path}${version}${hints.purge ? ' purged' : ''}`;
}

/** What becomes of a line on the socket. */
function taken(line: string): string {
  let said = 'nothing';
  const scanner = createLineScanner({
    search: createMarkerSearch(auditMarkers(ROUTES)),
    maxLineBytes: 100_000,
    onLine(bytes) {
      const entry = parseEntry(bytes);
      said = entry === undefined ? 'malformed' : `${told(read(entry))}${entry.rawValues ? ' raw' : ''}`;
    },
    onSkipped: () => t.fail('too long'),
  });
  scanner.push(Buffer.from(`${line}\n`));
  return said;
}

const rows = TABLE.flatMap(([done, by, expected]) => by.map((writer) => ({ writer, done, expected })));
const describe = ({ mount, below, operation, type }: Done) =>
  `${type ?? 'response'} ${operation ?? 'update'} ${mount}${below}`;

t.test('lines as Vault writes them, early, in 1.12 and in 1.21', async (t) => {
  for (const { writer, done, expected } of rows) {
    t.equal(taken(ENCODERS['go']?.(WRITERS[writer](done)) ?? ''), expected, `${writer}: ${describe(done)}`);
  }
});

t.test('the same however slashes and other characters are escaped on the way, or with a prefix', async (t) => {
  // A reader that hands over a line too many says why it is nothing; a shipper's line may do so, a change must not differ.
  const harmless = ['request', 'read', 'other_mount'];
  for (const { writer, done, expected } of rows) {
    const entry = WRITERS[writer](done);
    for (const [encoder, encode] of Object.entries(ENCODERS)) {
      const got = taken(`vault: ${encode(entry)}`);
      const fits = got === expected || (expected === 'nothing' && harmless.includes(got));
      t.ok(fits, `${writer}, ${encoder}: ${describe(done)}: ${got}`);
    }
  }
});
