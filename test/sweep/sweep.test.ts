import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { type ChangeMessage, parseMessage } from '../../src/queue/message.ts';
import { formatRef, type MountRef, type SecretRef } from '../../src/replicate/ref.ts';
import { createRoutes, type Route } from '../../src/replicate/routes.ts';
import { ownershipTags, sourceText } from '../../src/replicate/tags.ts';
import { type OwnedCopy, type Scope, type SweepOptions, sweep } from '../../src/sweep/sweep.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createFakeQueue } from '../fakes/queue.ts';

const route = (mount: string, to: readonly string[] = ['default'], more: Partial<Route> = {}): Route => ({
  ...{ name: mount, namespace: '', mount, to, include: ['**'], exclude: [] },
  as: '{namespace}/{mount}/{path}',
  ...more,
});

const copyOf = (ref: SecretRef): OwnedCopy => ({
  tags: ownershipTags({ vault: 'vault', route: ref.mount, ref, mount: { accessor: 'kv_1', kv: 2 } }),
  description: sourceText(ref),
});

interface Settings {
  readonly routes?: readonly Route[];
  /** Paths by mount; an error ends the listing where it stands. */
  readonly lists?: Readonly<Record<string, readonly (string | Error)[]>>;
  readonly copies?: readonly (OwnedCopy | Error)[];
  readonly copiesInEu?: readonly (OwnedCopy | Error)[];
}

const NONE = { mounts: [], destinations: [] };

function house({ routes = [route('kv')], lists = {}, copies = [], copiesInEu = [] }: Settings) {
  const clock = manualClock();
  const queue = createFakeQueue(clock);
  const { log, lines } = recordingLog();
  const ending = new AbortController();
  const listed: string[] = [];
  async function* list({ namespace, mount }: MountRef) {
    for (const path of lists[namespace === '' ? mount : `${namespace}:${mount}`] ?? []) {
      if (path instanceof Error) throw path;
      listed.push(path);
      yield path;
    }
  }
  async function* listing(rows: readonly (OwnedCopy | Error)[]) {
    for (const copy of rows) {
      if (copy instanceof Error) throw copy;
      yield copy;
    }
  }
  const down = new Set<string>();
  const destination = (name: string, rows: readonly (OwnedCopy | Error)[] = []) =>
    [name, { copies: () => listing(rows), isDown: () => down.has(name) }] as const;
  const options: SweepOptions = {
    vault: 'vault',
    source: { list },
    routes: createRoutes(routes, { default: {}, eu: { region: 'eu-west-1' }, us: { region: 'us-east-1' } }),
    destinations: new Map([destination('default', copies), destination('eu', copiesInEu), destination('us')]),
    publisher: queue.publisher,
    depth: queue.inbox.depth,
    clock,
    log,
  };
  const run = (scope: Partial<Scope> = {}) =>
    sweep(options, { mounts: options.routes.mounts, destinations: [], ...scope }, ending.signal);
  const found = () => queue.sent.map(({ body }) => parseMessage(body, 'vault') as ChangeMessage);
  const refs = () => found().map((message) => `${formatRef(message)} -> ${message.destination}`);
  return { clock, queue, lines, listed, ending, down, options, run, found, refs };
}

const names = (count: number, prefix = 's') =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);

t.test('every ref of every routed mount becomes a message of each of its copies', async (t) => {
  const routes = [
    route('kv', ['default', 'eu']),
    route('other', ['eu'], { exclude: ['private/**'] }),
    route('kv', ['default'], { namespace: 'team', name: 'team' }),
  ];
  const lists = { kv: ['a', 'b/c'], other: ['x', 'private/y'], 'team:kv': ['a'] };
  const { run, refs, found, queue } = house({ routes, lists });
  t.same(await run(), { refs: 5, enqueued: 6, failed: [], again: NONE, down: [] });
  t.same(refs(), [
    'kv/a -> default',
    'kv/a -> eu',
    'kv/b/c -> default',
    'kv/b/c -> eu',
    'other/x -> eu',
    'team:kv/a -> default',
  ]);
  const [first] = found();
  t.match(first, { origin: 'sweep', route: 'kv', sweepId: /^[0-9a-f-]{36}$/ });
  t.notOk('version' in (first ?? {}));
  t.equal(new Set(found().map(({ sweepId }) => sweepId)).size, 1);
  t.equal(new Set(queue.sent.map(({ deduplicationId }) => deduplicationId)).size, 6);
});

t.test('a copy whose secret Vault no longer lists is found by its tag, and one that it lists only once', async (t) => {
  const [listed, gone] = [
    copyOf({ namespace: '', mount: 'kv', path: 'a' }),
    copyOf({ namespace: '', mount: 'kv', path: 'gone é' }),
  ];
  const foreign = copyOf({ namespace: '', mount: 'elsewhere', path: 'a' });
  const broken = { tags: { 'vaultferry:vault': 'vault' }, description: '' };
  const { run, refs } = house({ lists: { kv: ['a', 'a', 'b'] }, copies: [listed, gone, gone, foreign, broken] });
  t.same(await run(), { refs: 3, enqueued: 3, failed: [], again: NONE, down: [] });
  t.same(refs(), ['kv/a -> default', 'kv/b -> default', 'kv/gone é -> default']);
});

t.test('two sweeps within five minutes both reach the queue', async (t) => {
  const { run, queue } = house({ lists: { kv: ['a'] } });
  await run();
  await run();
  t.equal(queue.sent.length, 2);
});

t.test('a mount that cannot be listed is told, nothing is known of its copies, and the others are whole', async (t) => {
  const lists = { kv: ['a', new ReplicationError('source_unavailable', 'Vault answered 503')], other: ['x'] };
  const copies = ['kv', 'other'].map((mount) => copyOf({ namespace: '', mount, path: 'b' }));
  const { run, refs, lines } = house({ routes: [route('kv'), route('other')], lists, copies });
  t.same(await run(), {
    ...{ refs: 3, enqueued: 3, failed: ['kv'], down: [] },
    again: { mounts: [{ namespace: '', mount: 'kv' }], destinations: [] },
  });
  t.same(refs(), ['kv/a -> default', 'other/x -> default', 'other/b -> default']);
  t.match(lines, [{ level: 'warn', event: 'sweep.listing_failed', mount: 'kv', err: { code: 'source_unavailable' } }]);
});

t.test('a mount that no second try can list is told, too', async (t) => {
  const { run } = house({ lists: { kv: [new ReplicationError('source_forbidden', 'Vault answered 403')] } });
  t.same(await run(), { refs: 0, enqueued: 0, failed: ['kv'], again: NONE, down: [] });
});

t.test('an unexpected error of a listing is told without its text', async (t) => {
  const { run, lines } = house({ lists: { kv: [new RangeError('canary')] } });
  t.match(await run(), { failed: ['kv'], again: { mounts: [{ mount: 'kv' }] } });
  t.match(lines, [{ event: 'sweep.listing_failed', err: { code: 'internal' } }]);
  t.notMatch(String(lines[0]?.['err']), /canary/);
});

t.test(
  'only the mounts that it is asked for are looked at, and a copy below another one is not taken for theirs',
  async (t) => {
    const nested = { namespace: '', mount: 'kv/nested', path: 'x' };
    const copies = [copyOf(nested), copyOf({ namespace: '', mount: 'kv', path: 'gone' })];
    const { run, refs } = house({
      routes: [route('kv'), route('kv/nested')],
      lists: { kv: ['a'], 'kv/nested': ['b'] },
      copies,
    });
    t.match(await run({ mounts: [{ namespace: '', mount: 'kv' }] }), { refs: 2 });
    t.same(refs(), ['kv/a -> default', 'kv/gone -> default']);
  },
);

t.test('a destination that cannot be listed is told, and keeps no other waiting; it can be listed alone', async (t) => {
  const error = new ReplicationError('destination_throttled', 'ListSecrets');
  const copies = [copyOf({ namespace: '', mount: 'kv', path: 'gone' }), error];
  const copiesInEu = [copyOf({ namespace: '', mount: 'kv', path: 'eu' })];
  const { run, refs, lines } = house({ routes: [route('kv', ['default', 'eu'])], copies, copiesInEu });
  const failed = ['destinations.default'];
  t.same(await run(), {
    ...{ refs: 2, enqueued: 4, failed, down: [] },
    again: { mounts: [], destinations: ['default'] },
  });
  t.match(lines, [{ level: 'warn', event: 'sweep.listing_failed', destination: 'default', err: { code: error.code } }]);
  t.same(refs().slice(2), ['kv/eu -> default', 'kv/eu -> eu']);
  t.match(await run({ mounts: [], destinations: ['default'] }), { refs: 1, failed });
  t.match(
    await run({ mounts: [], destinations: ['eu'] }),
    { refs: 1, failed },
    'what fails is told though not asked for',
  );
});

t.test('a destination whose listing is refused is told, and not tried again at once', async (t) => {
  const copies = [new ReplicationError('destination_forbidden', 'ListSecrets')];
  t.match(await house({ lists: { kv: ['a'] }, copies }).run(), {
    refs: 1,
    failed: ['destinations.default'],
    again: NONE,
  });
});

t.test('for a destination that is down nothing is put on the queue, and it is told as passed over', async (t) => {
  const routes = [route('kv', ['default', 'eu'])];
  const copies = [copyOf({ namespace: '', mount: 'kv', path: 'gone' })];
  const { run, refs, down } = house({ routes, lists: { kv: ['a'] }, copies });
  down.add('default');
  t.same(await run(), { refs: 1, enqueued: 1, failed: [], again: NONE, down: ['default'] });
  t.same(refs(), ['kv/a -> eu']);
});

t.test('one that goes down under way, or comes back, is passed over from there on', async (t) => {
  const routes = [route('kv', ['default', 'eu'])];
  const { run, options, refs, down } = house({ routes, lists: { kv: names(30) } });
  const { send } = options.publisher;
  let sends = 0;
  options.publisher.send = (batch) => {
    sends += 1;
    if (sends === 1) down.add('eu');
    if (sends === 3) down.clear();
    return send(batch);
  };
  t.match(await run(), { refs: 30, down: ['eu'], failed: [] });
  t.equal(refs().filter((ref) => ref.endsWith('-> default')).length, 30);
  t.equal(refs().filter((ref) => ref.endsWith('-> eu')).length, 5);
});

t.test('a queue that fails ends it', async (t) => {
  const { run, queue } = house({ lists: { kv: ['a'] } });
  queue.faults.call = (operation) => operation === 'send';
  await t.rejects(run(), { code: 'queue_unavailable' });
});

t.test('it adds nothing while 500 messages are visible, so that a fresh write never waits behind it', async (t) => {
  for (const to of [['default'], ['default', 'eu', 'us']]) {
    const { run, queue, clock } = house({ routes: [route('kv', to)], lists: { kv: names(800) } });
    let most = 0;
    const { send } = queue.publisher;
    queue.publisher.send = async (batch) => {
      most = Math.max(most, (await queue.inbox.depth()).visible);
      return send(batch);
    };
    const report = run();
    await clock.advance(60_000);
    t.ok(most >= 480 && most < 620, `at most ${most} were visible`);
    const { length } = queue.stored();
    await clock.advance(60_000);
    t.equal(queue.stored().length, length, 'it waits');
    const drained = async () => {
      const messages = await queue.inbox.receive(10);
      await queue.inbox.acknowledge(messages);
      return messages.length;
    };
    for (let rounds = 0; queue.sent.length < 800 * to.length || queue.stored().length > 0; rounds += 1) {
      if (rounds > 2_000) throw new Error('it does not go on');
      if (queue.stored().length > 0) await drained();
      await clock.advance(1_000);
    }
    t.match(await report, { refs: 800, enqueued: 800 * to.length });
    t.ok(most < 620, `at most ${most} were visible`);
  }
});

t.test('the depth is asked for as often when some findings are not taken', async (t) => {
  const { run, queue, clock } = house({ lists: { kv: names(800) } });
  queue.faults.entry = ({ body }) => (body.includes('s0003') ? { forGood: true } : undefined);
  void run();
  await clock.advance(60_000);
  t.ok(queue.stored().length < 620, `${queue.stored().length} are visible`);
});

t.test('what SQS did not take is sent again after a pause; what it never takes is left, and not counted', async (t) => {
  const { run, queue, clock, refs } = house({ lists: { kv: ['a', 'b', 'c'] } });
  let calls = 0;
  queue.faults.entry = ({ body }) => {
    if (body.includes('"b"')) return { forGood: true };
    if (!body.includes('"c"')) return undefined;
    calls += 1;
    return calls < 3 ? { forGood: false } : undefined;
  };
  const report = run();
  await clock.advance(900);
  t.equal(calls, 1);
  await clock.advance(1_200);
  t.same(await report, { refs: 3, enqueued: 2, failed: [], again: NONE, down: [] });
  t.same(refs(), ['kv/a -> default', 'kv/c -> default']);
});

t.test('it ends when told to: while it lists, while it waits, while it retries, while AWS lists', async (t) => {
  const listing = house({ lists: { kv: names(50) } });
  const { send } = listing.queue.publisher;
  listing.queue.publisher.send = (batch) => {
    listing.ending.abort();
    return send(batch);
  };
  await t.rejects(listing.run(), { name: 'AbortError' });
  t.ok(listing.listed.length <= 11);

  const waiting = house({ lists: { kv: names(900) } });
  const waits = waiting.run();
  await waiting.clock.advance(10_000);
  waiting.ending.abort();
  await t.rejects(waits, { name: 'AbortError' });
  t.equal(waiting.clock.sleepers, 0);

  const retrying = house({ lists: { kv: ['a'] } });
  retrying.queue.faults.entry = () => ({ forGood: false });
  const retries = retrying.run();
  await retrying.clock.advance(10_000);
  retrying.ending.abort();
  await t.rejects(retries, { name: 'AbortError' });

  const aws = house({ copies: [copyOf({ namespace: '', mount: 'kv', path: 'a' })] });
  aws.ending.abort();
  await t.rejects(aws.run(), { name: 'AbortError' });
  t.same(aws.queue.sent, []);
});
