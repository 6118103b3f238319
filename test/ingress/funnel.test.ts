import t from 'tap';
import { createChangeReader } from '../../src/audit/change.ts';
import { type AuditEntry, parseEntry } from '../../src/audit/entry.ts';
import { createDirtyCopies } from '../../src/ingress/dirty.ts';
import { createFunnel } from '../../src/ingress/funnel.ts';
import { createSweepRequests } from '../../src/ingress/sweep-request.ts';
import { parseMessage } from '../../src/queue/message.ts';
import { createRoutes, type Route } from '../../src/replicate/routes.ts';
import { entryOf, kvEntry, REQUEST_ID, TIME, type Written } from '../audit/entries.ts';
import { recordingLog } from '../fakes/log.ts';

const KV = { namespace: '', mount: 'kv' };
const HMAC = 'hmac-sha256:0123';

const route = (name: string, to: readonly string[], more: Partial<Route> = {}): Route => ({
  ...KV,
  name,
  to,
  include: ['**'],
  exclude: [],
  as: '{mount}/{path}',
  ...more,
});

function house(routes = [route('kv', ['default'])], versions: Record<string, 1 | 2> = { kv: 2 }) {
  const { log, lines } = recordingLog();
  const compiled = createRoutes(routes, { default: {}, eu: { region: 'eu-west-1' } });
  const dirty = createDirtyCopies(1_000, () => {});
  const sweeps = createSweepRequests('vault');
  const counted: string[] = [];
  const mountCalls: string[] = [];
  const funnel = createFunnel({
    vault: 'vault',
    read: createChangeReader({ routes: compiled.mounts, kvVersion: ({ mount }) => versions[mount] }),
    routes: compiled,
    dirty,
    sweeps,
    log,
    metrics: { entry: (result) => counted.push(result), change: (name) => counted.push(`route ${name}`) },
    askMounts: () => mountCalls.push('ask'),
  });
  /** Sends all that is dirty. */
  const messages = () => {
    const batch = dirty.take(100, 1_000_000);
    dirty.sent(batch);
    return batch.map(({ message }) => message);
  };
  return { funnel, dirty, sweeps, lines, counted, mountCalls, messages };
}

const parse = (value: unknown): AuditEntry => {
  const entry = parseEntry(Buffer.from(JSON.stringify(value)));
  if (entry === undefined) throw new Error('the test wrote no entry');
  return entry;
};

const put = (path = 'app', more: Written = {}) =>
  parse(kvEntry(KV, 'update', `data/${path}`, { responseData: { version: 3, created_time: TIME }, ...more }));

const bodyOf = ({ body }: { readonly body: string }) => parseMessage(body, 'vault');

t.test('a write becomes the message of its copy, with hints and without a value', (t) => {
  const { funnel, messages, counted } = house();
  t.equal(funnel.accept(put('app', { requestData: { data: { password: HMAC } } })), 1);
  const [message, ...others] = messages();
  t.same(others, []);
  t.strictSame(message && bodyOf(message), {
    ...{ v: 1, kind: 'change', vault: 'vault', namespace: '', mount: 'kv', path: 'app', route: 'kv' },
    ...{ destination: 'default', origin: 'audit', kv: 2 },
    ...{ version: 3, createdTime: TIME, auditTime: TIME, requestId: REQUEST_ID },
  });
  t.match(message, { group: /^[0-9a-f]{64}$/, deduplicationId: /^[0-9a-f]{64}$/ });
  t.same(counted, ['change', 'route kv']);
  t.end();
});

t.test('each destination of each route is a message of its own; of two routes to one name the first wins', (t) => {
  const routes = [
    route('all', ['default', 'eu']),
    route('again', ['default']),
    route('short', ['eu'], { as: 'short/{path}' }),
    route('other', ['eu'], { include: ['other/**'] }),
  ];
  const { funnel, messages } = house(routes);
  t.equal(funnel.accept(put()), 3);
  const sent = messages();
  t.match(sent.map(bodyOf), [
    { route: 'all', destination: 'default' },
    { route: 'all', destination: 'eu' },
    { route: 'short', destination: 'eu' },
  ]);
  t.equal(new Set(sent.map(({ group }) => group)).size, 3);
  t.equal(new Set(sent.map(({ deduplicationId }) => deduplicationId)).size, 3);
  t.end();
});

t.test('the same entry through two devices has one id, another write of the secret another', (t) => {
  const [one, two] = [house(), house()];
  const again = parse({
    ...kvEntry(KV, 'update', 'data/app'),
    request: { ...(entryOf({})['request'] as object), id: 'else' },
  });
  one.funnel.accept(put());
  two.funnel.accept(put());
  const ids = [one, two].map(({ messages }) => messages()[0]?.deduplicationId);
  two.funnel.accept(again);
  const other = two.messages()[0]?.deduplicationId;
  t.match([...ids, other], [/^[0-9a-f]{64}$/, ids[0], /^[0-9a-f]{64}$/]);
  t.not(other, ids[0]);
  t.end();
});

t.test('an entry without a request id gets an id that no other has', (t) => {
  const { funnel, messages } = house();
  const nameless = parse({
    ...kvEntry(KV, 'update', 'data/app'),
    request: { ...(entryOf({})['request'] as object), id: undefined },
  });
  const ids = [1, 2].map(() => {
    funnel.accept(nameless);
    return messages()[0]?.deduplicationId;
  });
  t.match(ids, [/^[0-9a-f]{64}$/, /^[0-9a-f]{64}$/]);
  t.not(ids[0], ids[1]);
  t.end();
});

t.test('of two entries the one of the later time stays, however Go spelled the times', (t) => {
  const { funnel, messages } = house();
  const at = (time: string, version: number) =>
    parse({ ...kvEntry(KV, 'update', 'data/app', { responseData: { version } }), time });
  funnel.accept(at('2026-11-24T22:03:14.52Z', 2));
  funnel.accept(at('2026-11-24T22:03:14.525Z', 3));
  funnel.accept(at('2026-11-24T22:03:14Z', 1));
  t.match(messages().map(bodyOf), [{ version: 3, auditTime: '2026-11-24T22:03:14.525Z' }]);
  t.end();
});

t.test('whoever waits is told once for each message', (t) => {
  const { funnel, dirty } = house([route('all', ['default', 'eu'])]);
  let told = 0;
  t.equal(
    funnel.accept(put(), () => {
      told += 1;
    }),
    2,
  );
  dirty.sent(dirty.take(10, 1_000_000));
  t.equal(told, 2);
  t.end();
});

t.test('a path that no name could hold is left to the sweep, and counted', (t) => {
  const { funnel, dirty, counted } = house();
  t.equal(funnel.accept(put('x'.repeat(210 * 1024))), 0);
  t.same([dirty.size, counted], [0, ['path_too_long']]);
  t.end();
});

t.test('what is no change asks for nothing, and its reason is counted', (t) => {
  const { funnel, dirty, sweeps, counted } = house();
  for (const entry of [
    put('app', { type: 'request' }),
    parse(kvEntry(KV, 'read', 'data/app')),
    put('app', { error: '1 error occurred:\n\t* permission denied\n\n' }),
    parse(kvEntry({ ...KV, mount: 'elsewhere' }, 'update', 'data/app')),
    put('app', { mountType: 'pki' }),
  ]) {
    t.equal(
      funnel.accept(entry, () => t.fail('nobody is told')),
      0,
    );
  }
  t.same(counted, ['request', 'read', 'refused', 'other_mount', 'not_kv']);
  t.same([dirty.size, sweeps.pending], [0, false]);
  t.end();
});

t.test('a mount change and a restored snapshot ask for a sweep, and mounts are asked for anew', (t) => {
  const system = { mountType: 'system', mountPoint: 'sys/' };
  for (const [path, reason] of [
    ['sys/mounts/kv', 'mounts'],
    ['sys/remount', 'mounts'],
    ['sys/storage/raft/snapshot', 'snapshot_restore'],
  ] as const) {
    const { funnel, sweeps, mountCalls, dirty } = house();
    let told = 0;
    t.equal(
      funnel.accept(parse(entryOf({ ...system, path })), () => {
        told += 1;
      }),
      1,
    );
    const request = sweeps.take();
    t.match(request && parseMessage(request.message.body, 'vault'), { kind: 'sweep', origin: 'gap', reason });
    for (const tell of request?.onQueued ?? []) tell();
    t.same([told, mountCalls, dirty.size], [1, ['ask'], 0]);
  }
  t.end();
});

t.test('a write to a mount whose version is not known asks for a sweep, and Vault is asked now', (t) => {
  const { funnel, sweeps, mountCalls, dirty } = house(undefined, {});
  t.equal(funnel.accept(put()), 1);
  t.match(sweeps.take()?.message.body, 'kv_version_unknown');
  t.same([mountCalls, dirty.size], [['ask'], 0]);
  t.end();
});

t.test('what came before the version was known is read again once it is, a bounded part of it', (t) => {
  const versions: Record<string, 1 | 2> = {};
  const { funnel, messages, dirty, counted } = house(undefined, versions);
  for (let entry = 0; entry < 1_100; entry += 1) funnel.accept(put(`app/${entry}`));
  t.equal(dirty.size, 0);
  versions['kv'] = 2;
  funnel.readAgain();
  t.equal(dirty.size, 1_000);
  t.match(messages().slice(0, 1).map(bodyOf), [{ kind: 'change', path: 'app/0', version: 3 }]);
  funnel.readAgain();
  t.equal(dirty.size, 900, 'each is read once');
  t.equal(counted.filter((result) => !result.startsWith('route')).length, 1_100, 'each is counted once');
  t.end();
});

t.test('log_raw is warned of once, and nothing of the line is in the warning', (t) => {
  const { funnel, lines, messages } = house();
  const raw = { requestData: { data: { password: 'canary-value' } } };
  for (const path of ['canary-a', 'canary-b']) funnel.accept(put(path, raw));
  t.match(lines, [{ level: 'warn', event: 'audit.log_raw', text: /log_raw/ }]);
  t.equal(lines.length, 1);
  t.notMatch(JSON.stringify(lines), /canary/);
  const sent = messages();
  t.equal(sent.length, 2, 'the changes are carried all the same');
  t.notMatch(JSON.stringify(sent), /canary-value/);
  t.end();
});

t.test('hashed values are no reason to warn', (t) => {
  const { funnel, lines } = house();
  funnel.accept(put('app', { requestData: { data: { password: HMAC }, options: { cas: 3 } } }));
  t.same(lines, []);
  t.end();
});
