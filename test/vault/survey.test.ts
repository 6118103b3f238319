import fc from 'fast-check';
import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import type { MountRef } from '../../src/replicate/ref.ts';
import type { Hidden, Mount, Surveyed } from '../../src/replicate/source.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createSurvey, type SurveyPorts } from '../../src/vault/survey.ts';

const REF: MountRef = { namespace: 'team', mount: 'kv' };
const MOUNT: Mount = { accessor: 'kv_1', kv: 2 };
const NOW = Date.parse('2026-11-24T22:00:00Z');
const SCAN = '/kv/detailed-metadata/?scan=true';
const PAGE = 500;

interface Said {
  readonly status?: number;
  /** JSON text unless it is a text. */
  readonly body?: unknown;
}

interface Vault {
  /** By the path below the mount. */
  readonly secrets?: ReadonlyMap<string, number>;
  /** OpenBao's detailed listing and its scan; as OpenBao has them unless told. */
  readonly scan?: Said | 'offered' | 'too large';
  readonly list?: Said | 'offered' | 'all at once';
  /** What stands in the way of single requests, by the request's path. */
  readonly says?: ReadonlyMap<string, Said>;
  /** The mount's entry, one after another; the last stays. */
  readonly mounts?: readonly Mount[];
  readonly listed?: (paths: readonly string[]) => AsyncIterable<string>;
}

const PURGED: Said = { status: 404, body: { errors: [] } };
const DENIED: Said = { status: 403, body: { errors: ['permission denied'] } };
const UNKNOWN: Said = { status: 404, body: { errors: ['no handler for route'] } };

const metadata = (version: number) => ({
  current_version: version,
  versions: {
    [version]: { created_time: '2026-11-24T21:40:57.235646616Z', deletion_time: '', destroyed: false },
  },
});

/** The keys of a folder as a LIST gives them: sorted, folders with their slash. */
function keysOf(secrets: ReadonlyMap<string, number>, folder: string): string[] {
  const below = [...secrets.keys()].filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
  return [...new Set(below.map((path) => path.replace(/\/.*/, '/')))].sort();
}

/** A Vault or OpenBao with some secrets, asked through the ports of a survey. */
function world(options: Vault = {}) {
  const { secrets = new Map<string, number>(), says = new Map<string, Said>(), mounts = [MOUNT] } = options;
  const { scan = 'offered', list = 'offered' } = options;
  const paths = [...secrets.keys()].sort();
  const requests: string[] = [];
  const namespaces: string[] = [];
  const bounds: (number | undefined)[] = [];
  const entries = [...mounts];
  let notShown: readonly Hidden[] = [];

  const page = (folder: string, after: string, limit: number): Said => {
    const keys = keysOf(secrets, folder)
      .filter((key) => key > after)
      .slice(0, limit);
    const key_info = Object.fromEntries(keys.map((key) => [key, metadata(secrets.get(folder + key) ?? 0)]));
    return keys.length === 0 ? PURGED : { body: { data: { keys, key_info } } };
  };
  const whole = (): Said => {
    if (scan === 'too large') throw new ReplicationError('value_too_large', 'too much');
    if (scan !== 'offered') return scan;
    const key_info = Object.fromEntries([...secrets].map(([path, version]) => [path, metadata(version)]));
    return secrets.size === 0 ? PURGED : { body: { data: { keys: paths, key_info } } };
  };
  const detailed = (folder: string, query: URLSearchParams): Said => {
    if (query.has('scan')) return whole();
    if (list === 'all at once') return page(folder, '', Number.POSITIVE_INFINITY);
    return list === 'offered' ? page(folder, query.get('after') ?? '', Number(query.get('limit'))) : list;
  };
  const one = (path: string): Said => {
    const version = secrets.get(path);
    return version === undefined ? PURGED : { body: { data: metadata(version) } };
  };
  const answer = (path: string): Said => {
    const url = new URL(path, 'http://vault');
    const [, mount, kind, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    if (mount !== 'kv' || (kind !== 'metadata' && kind !== 'detailed-metadata')) throw new Error(`not asked: ${path}`);
    return says.get(path) ?? (kind === 'metadata' ? one(rest.join('/')) : detailed(rest.join('/'), url.searchParams));
  };
  const ports: SurveyPorts = {
    reader: {
      get: async (namespace, path, _what, maxBytes) => {
        requests.push(path);
        bounds.push(maxBytes);
        namespaces.push(namespace);
        const { status = 200, body } = answer(path);
        return { status, text: new Sensitive(typeof body === 'string' ? body : JSON.stringify(body ?? {})) };
      },
    },
    now: () => NOW,
    entry: async () => (entries.length > 1 ? entries.shift() : entries[0]) ?? MOUNT,
    list: () => (options.listed ?? each)(paths),
  };
  const survey = createSurvey(ports);
  return {
    survey,
    requests,
    namespaces,
    bounds,
    hidden: () => notShown,
    async all(wanted: (path: string) => boolean = () => true, ref = REF): Promise<Surveyed[]> {
      const found: Surveyed[] = [];
      const { secrets: surveyed, hidden } = await survey(ref, wanted);
      for await (const secret of surveyed) found.push(secret);
      notShown = hidden;
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
}

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}

const secretsOf = (...paths: readonly string[]) => new Map(paths.map((path, index) => [path, index + 1]));
const numbered = (count: number, folder = '') =>
  Array.from({ length: count }, (_, index) => `${folder}s${String(index).padStart(5, '0')}`);
const present = (path: string, version: number): Surveyed => ({
  path,
  state: { kind: 'present', mount: MOUNT, version, createdTime: '2026-11-24T21:40:57.235646616Z' },
});
const expected = (secrets: ReadonlyMap<string, number>) =>
  [...secrets].map(([path, version]) => present(path, version)).sort((a, b) => (a.path < b.path ? -1 : 1));

const NO_SCAN = { scan: DENIED } as const;
const PLAIN = { scan: UNKNOWN, list: UNKNOWN } as const;
const isList = (path: string) => path.includes('list=true');

t.test('a whole mount comes in one scan, whatever its folders', async (t) => {
  const secrets = secretsOf('a', 'a/b', 'a/b/c', 'z z/#', 'é/{{x}}');
  const { all, requests, bounds } = world({ secrets });
  t.strictSame(await all(), expected(secrets));
  t.strictSame(requests, [SCAN]);
  t.strictSame(bounds, [4 * 1024 * 1024], 'no more than that is read');
});

t.test(
  'a tree that is too large, refused or not to be scanned is had page by page, and not scanned again',
  async (t) => {
    const secrets = secretsOf('a', 'a/b', 'a/b/c', 'z z/#');
    for (const scan of ['too large', DENIED, UNKNOWN, PURGED, { body: 'canary' }, { body: {} }] as const) {
      const { all, requests } = world({ secrets, scan });
      t.strictSame(await all(), expected(secrets), JSON.stringify(scan));
      t.strictSame(await all(), expected(secrets));
      t.equal(requests.filter((path) => path === SCAN).length, 1);
      t.equal(requests.filter(isList).length, 8, 'four folders, twice');
    }
  },
);

t.test('a scan that an outage keeps from answering is tried again', async (t) => {
  const secrets = secretsOf('a', 'a/b');
  for (const status of [429, 500, 503]) {
    const { all, requests } = world({ secrets, scan: { status } });
    for (const _ of [1, 2]) t.strictSame(await all(), expected(secrets));
    t.equal(requests.filter((path) => path === SCAN).length, 2);
  }
});

t.test('a scan that fails for another reason than its answer is thrown', async (t) => {
  const says = {
    get: () => {
      throw new TypeError('a fault of ours');
    },
  } as unknown as ReadonlyMap<string, Said>;
  await t.rejects(world({ secrets: secretsOf('a'), says }).all(), TypeError);
});

t.test('pages end with the last secret, be it the last of a page or one beyond', async (t) => {
  for (const [count, pages] of [
    [PAGE - 1, 1],
    [PAGE, 2],
    [PAGE + 1, 2],
    [2 * PAGE, 3],
  ] as const) {
    const secrets = secretsOf(...numbered(count));
    const { all, requests, bounds } = world({ secrets, ...NO_SCAN });
    t.strictSame(await all(), expected(secrets), `${count} secrets`);
    t.equal(requests.filter(isList).length, pages);
    t.equal(bounds.at(-1), 32 * 1024 * 1024);
    t.ok(requests.filter(isList).every((path) => path.startsWith('/kv/detailed-metadata/?list=true&limit=500&after=')));
  }
});

t.test('a server that knows no pages gives all at once, and is asked once, or once more', async (t) => {
  for (const [count, requested] of [
    [PAGE - 1, 1],
    [PAGE, 2],
    [3 * PAGE, 1],
  ] as const) {
    const secrets = secretsOf(...numbered(count));
    const { all, requests } = world({ secrets, ...NO_SCAN, list: 'all at once' });
    t.strictSame(await all(), expected(secrets), `${count} secrets`);
    t.equal(requests.filter(isList).length, requested);
  }
});

t.test('folders and secrets in any mixture come whole, each once, by any way', async () => {
  const segment = fc.constantFrom('a', 'b', 'c d', 'é', '%2F', '#');
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(path, { maxLength: 40 }),
      fc.constantFrom({}, NO_SCAN, PLAIN),
      fc.integer({ min: 0, max: 600 }),
      async (paths, way, more) => {
        const secrets = secretsOf(...paths, ...numbered(more));
        const found = await world({ secrets, ...way }).all();
        return JSON.stringify(found) === JSON.stringify(expected(secrets));
      },
    ),
    { numRuns: 60 },
  );
});

t.test('only what is wanted comes, and Vault is asked for nothing else', async (t) => {
  const secrets = secretsOf('a', 'a/b', 'tmp/x', 'tmp/y');
  const wanted = (path: string) => !path.startsWith('tmp/');
  const found = [present('a', 1), present('a/b', 2)];
  t.strictSame(await world({ secrets }).all(wanted), found);
  t.strictSame(await world({ secrets, ...NO_SCAN }).all(wanted), found);
  const { all, requests } = world({ secrets, ...PLAIN });
  t.strictSame(await all(wanted), found);
  t.strictSame(requests.filter((path) => path.startsWith('/kv/metadata/')).sort(), [
    '/kv/metadata/a',
    '/kv/metadata/a/b',
  ]);
});

t.test('where nothing is wanted the detailed listing still counts as offered', async (t) => {
  const { all, requests } = world({ secrets: secretsOf('a', 'b') });
  t.strictSame(await all(() => false), []);
  t.strictSame(requests, [SCAN]);
});

t.test('Vault is asked for each secret, and for the detailed listing only once', async (t) => {
  const secrets = secretsOf(...numbered(50));
  const { all, requests } = world({ secrets, ...PLAIN });
  t.strictSame(await all(), expected(secrets));
  t.equal(requests.length, 52, 'a scan, a page, and fifty');
  t.strictSame(await all(), expected(secrets));
  t.equal(requests.length, 102);
});

t.test('an empty mount has no secrets, and says nothing of what is offered', async (t) => {
  const { all, requests } = world({});
  t.strictSame(await all(), []);
  t.strictSame(requests, [SCAN, '/kv/detailed-metadata/?list=true&limit=500&after=']);
  const secrets = new Map<string, number>();
  const filled = world({ secrets });
  t.strictSame(await filled.all(), []);
  secrets.set('a', 1);
  t.strictSame(await filled.all(), [present('a', 1)]);
  t.notOk(filled.requests.includes('/kv/metadata/a'), 'the detailed listing is asked again');
});

t.test('a secret whose metadata is hidden or unreadable is to be looked at', async (t) => {
  const secrets = secretsOf('a', 'b', 'c');
  const says = new Map<string, Said>([
    ['/kv/metadata/a', DENIED],
    ['/kv/metadata/b', { body: { data: { current_version: 'canary' } } }],
  ]);
  t.strictSame(await world({ secrets, ...PLAIN, says }).all(), [{ path: 'a' }, { path: 'b' }, present('c', 3)]);
  const body = { data: { keys: ['a', 'b'], key_info: { a: metadata(1) } } };
  t.strictSame(await world({ scan: { body } }).all(), [present('a', 1), { path: 'b' }]);
});

t.test('a secret that is purged while it is listed is not there', async (t) => {
  const says = new Map([['/kv/metadata/b', PURGED]]);
  const found = await world({ secrets: secretsOf('a', 'b', 'c'), ...PLAIN, says }).all();
  t.strictSame(found, [present('a', 1), present('c', 3)]);
  const gone = new Map([['/kv/detailed-metadata/a/?list=true&limit=500&after=', PURGED]]);
  const paged = await world({ secrets: secretsOf('a/b', 'c'), ...NO_SCAN, says: gone }).all();
  t.strictSame(paged, [present('c', 2)]);
});

const PROVES_NOTHING: readonly Said[] = [
  { status: 500, body: 'canary' },
  { status: 503, body: { errors: ['canary'] } },
  { status: 429 },
  { status: 472 },
  { status: 400, body: { errors: ['canary'] } },
];

t.test('one secret whose metadata is not told is to be looked at, and keeps no other waiting', async (t) => {
  for (const said of [...PROVES_NOTHING, UNKNOWN, { status: 404, body: 'canary' }]) {
    const says = new Map([['/kv/metadata/b', said]]);
    const found = await world({ secrets: secretsOf('a', 'b', 'c'), ...PLAIN, says }).all();
    t.strictSame(found, [present('a', 1), { path: 'b' }, present('c', 3)], String(said.status));
  }
});

t.test('a Vault that cannot answer any more ends the survey, and is asked for little more', async (t) => {
  const paths = numbered(400);
  const secrets = secretsOf(...paths);
  const answered = (...failing: readonly number[]) =>
    new Map(
      paths.filter((_, index) => failing.includes(index)).map((path) => [`/kv/metadata/${path}`, { status: 503 }]),
    );
  const every = (step: number) => paths.map((_, index) => index).filter((index) => index % step === 1);
  const inTurn = world({ secrets, ...PLAIN, says: answered(100, 101, 102, 103) });
  t.equal((await inTurn.all()).filter(({ state }) => state === undefined).length, 4, 'four in a row may fail');
  const rare = world({ secrets, ...PLAIN, says: answered(...every(15)) });
  t.equal((await rare.all()).length, 400, 'and one of fifteen');
  for (const status of [429, 500, 503]) {
    for (const failing of [paths.map((_, index) => index), every(4)]) {
      const says = new Map([...answered(...failing)].map(([path]) => [path, { status }]));
      const { all, requests } = world({ secrets, ...PLAIN, says });
      await t.rejects(all(), {
        code: 'source_unavailable',
        message: new RegExp(`answered ${status} for the metadata`),
      });
      t.ok(requests.length < 130, `${requests.length} requests`);
    }
  }
  const says = new Map(paths.map((path) => [`/kv/metadata/${path}`, { status: 429 }]));
  await t.rejects(world({ secrets, ...PLAIN, says }).all(), { message: /lower sweep\.vaultRequestsPerSecond/ });
});

t.test('metadata that the policy does not show is told once, with the line that lacks', async (t) => {
  const paths = numbered(200);
  const secrets = secretsOf(...paths);
  const refused = (some: readonly string[]) => new Map(some.map((path) => [`/kv/metadata/${path}`, DENIED]));
  const whole = world({ secrets, ...PLAIN, says: refused(paths) });
  t.strictSame(
    await whole.all(),
    paths.map((path) => ({ path })),
  );
  t.ok(whole.requests.length < 60, `${whole.requests.length} requests: where all are refused, few are tried`);
  t.match(whole.hidden(), [{ what: 'metadata', folder: '', error: { code: 'source_forbidden' } }]);
  t.match(String(whole.hidden()[0]?.error), /path "team\/kv\/metadata\/\*" { capabilities = \["read"\] }/);
  const half = world({ secrets, ...PLAIN, says: refused(paths.slice(1, 100)) });
  t.equal((await half.all()).filter(({ state }) => state !== undefined).length, 101, 'what may be read is read');
  t.equal(half.hidden().length, 1);
});

t.test('a folder that is not told ends the survey, and is named', async (t) => {
  for (const said of [...PROVES_NOTHING, UNKNOWN, { body: {} }, { body: { data: { keys: ['x'] } } }]) {
    const says = new Map([['/kv/detailed-metadata/a/?list=true&limit=500&after=', said]]);
    const { all } = world({ secrets: secretsOf('a/b', 'c'), ...NO_SCAN, says });
    await t.rejects(all(), { code: 'source_unavailable', message: /the list of team:kv\/a\// });
  }
  for (const status of [429, 500, 503]) {
    const { all, requests } = world({ secrets: secretsOf('a'), scan: { status }, list: { status } });
    await t.rejects(all(), { code: 'source_unavailable', message: new RegExp(`Vault answered ${status}`) });
    t.notOk(requests.includes('/kv/metadata/a'), 'an outage is no reason to ask for each secret');
  }
});

t.test('a second page that fails is not taken for the end', async (t) => {
  const paths = numbered(PAGE + 1);
  const after = paths[PAGE - 1] ?? '';
  for (const said of [UNKNOWN, { status: 500 }]) {
    const says = new Map([[`/kv/detailed-metadata/?list=true&limit=500&after=${after}`, said]]);
    await t.rejects(world({ secrets: secretsOf(...paths), ...NO_SCAN, says }).all(), { code: 'source_unavailable' });
  }
});

t.test('a folder that the policy does not show is noted once, and the rest is told', async (t) => {
  const url = '/kv/detailed-metadata/a/?list=true&limit=500&after=';
  const { survey } = world({ secrets: secretsOf('a/b', 'a/c', 'd'), ...NO_SCAN, says: new Map([[url, DENIED]]) });
  const { secrets, hidden } = await survey(REF, () => true);
  const found: Surveyed[] = [];
  for await (const secret of secrets) found.push(secret);
  t.strictSame(found, [present('d', 3)]);
  t.match(hidden, [{ folder: 'a/', error: { code: 'source_forbidden', message: /detailed-metadata|metadata/ } }]);
  t.equal(hidden.length, 1);
});

t.test('a plain listing that breaks off breaks the survey', async (t) => {
  const listed = async function* (paths: readonly string[]) {
    yield* paths.slice(0, 1);
    throw new ReplicationError('source_forbidden', 'a folder is closed');
  };
  await t.rejects(world({ secrets: secretsOf('a', 'b'), ...PLAIN, listed }).all(), { code: 'source_forbidden' });
});

t.test('a mount that is replaced meanwhile is no listing, empty or not', async (t) => {
  const replaced = { code: 'source_unavailable', message: /the mount team:kv was replaced while it was listed/ };
  for (const after of [
    { accessor: 'kv_2', kv: 2 },
    { accessor: 'kv_1', kv: 1 },
  ] as const) {
    for (const secrets of [new Map<string, number>(), secretsOf('a')]) {
      for (const way of [{}, NO_SCAN, PLAIN]) {
        await t.rejects(world({ secrets, ...way, mounts: [MOUNT, after] }).all(), replaced);
      }
    }
  }
});

t.test('of KV version 1 the paths alone are told, and none of its values is asked for', async (t) => {
  const kv1: Mount = { accessor: 'kv_1', kv: 1 };
  const { all, requests } = world({ secrets: secretsOf('a', 'b', 'tmp/c'), mounts: [kv1] });
  t.strictSame(await all((path) => !path.startsWith('tmp/')), [{ path: 'a' }, { path: 'b' }]);
  t.strictSame(requests, []);
  await t.rejects(world({ mounts: [kv1, MOUNT] }).all(), { code: 'source_unavailable', message: /replaced/ });
});

t.test('what one namespace offers says nothing of another', async (t) => {
  const secrets = secretsOf('a');
  const { all, requests, namespaces } = world({ secrets, scan: 'too large' });
  const other = { ...REF, namespace: '' };
  for (const ref of [REF, REF, other, other]) t.strictSame(await all(undefined, ref), [present('a', 1)]);
  t.strictSame(namespaces, ['team', 'team', 'team', '', '', '']);
  t.equal(requests.filter((path) => path === SCAN).length, 2);
});
