import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { at, house, route } from './house.ts';

const failing = (error: Error) =>
  async function* () {
    yield* [];
    throw error;
  };

t.test('what is missing is found at every destination, looked at, and then in sync', async (t) => {
  const routes = [route('kv', ['eu', 'us']), route('other', ['us'], { exclude: ['private/**'] })];
  const { source, run, found, work } = house({ routes, mounts: ['kv', 'other'] });
  for (const ref of [at('a'), at('b/c'), at('x', 'other'), at('private/y', 'other')]) source.write(ref, '{"k":1}');
  const first = await run();
  t.match(first, { enqueued: 5, failed: [], again: false, down: [], deleted: 0, held: {} });
  t.same(first.found, { eu: { missing: 2 }, us: { missing: 3 } });
  t.same(await found(), ['kv/a -> eu', 'kv/b/c -> eu', 'kv/a -> us', 'kv/b/c -> us', 'other/x -> us']);
  await run();
  await work();
  const second = await run();
  t.same(second.found, { eu: { in_sync: 2 }, us: { in_sync: 3 } });
  t.equal(second.enqueued, 0);
});

t.test('no value is read, and each name without a listed copy is looked up once', async (t) => {
  const { source, ends, run, work } = house();
  for (const path of ['a', 'b', 'c']) source.write(at(path), '{}');
  await run();
  t.same(source.reads, []);
  t.same(ends.eu.operations(), ['describe', 'describe', 'describe']);
  await work();
  const { length } = ends.eu.calls;
  await run();
  t.equal(ends.eu.calls.length, length, 'what is listed needs no look-up');
});

t.test('every kind of drift is found, told, and put on the queue where a look can end it', async (t) => {
  const { source, ends, run, work, found, clock } = house({
    routes: [route('kv'), route('old', ['eu'])],
    mounts: ['kv', 'old'],
  });
  const { eu } = ends;
  const paths = [
    'same',
    'stale',
    'edited',
    'deleted',
    'purged',
    'back',
    'scheduled',
    'tags',
    'empty',
    'foreign',
    'rotated',
  ];
  for (const path of paths) source.write(at(path), '{"k":1}');
  eu.createByHand('kv/foreign', { value: 'theirs' });
  await run();
  await work();
  await clock.advance(600_000);
  source.write(at('stale'), '{"k":2}');
  eu.edit('kv/edited', 'by hand');
  source.delete(at('deleted'));
  source.purge(at('purged'));
  source.delete(at('back'));
  await run();
  await work();
  t.same(await run().then(({ found }) => found['eu']), {
    ...{ in_sync: 7, absent_marked: 3, conflict: 1 },
  });
  source.undelete(at('back'));
  source.write(at('stale'), '{"k":3}');
  eu.edit('kv/edited', 'again');
  eu.secret('kv/scheduled').scheduledForDeletion = true;
  eu.secret('kv/tags').tags.delete('team');
  eu.secret('kv/empty').versions.clear();
  eu.secret('kv/rotated').rotationEnabled = true;
  source.write(at('fresh'), '{}');
  const report = await run();
  t.same(report.found['eu'], {
    ...{ in_sync: 1, stale: 1, edited_by_hand: 1, absent_marked: 2, wrongly_marked: 1, scheduled_for_deletion: 1 },
    ...{ tags_differ: 1, no_value: 1, conflict: 2, missing: 1 },
  });
  t.same((await found()).sort(), [
    ...['kv/back -> eu', 'kv/edited -> eu', 'kv/empty -> eu', 'kv/fresh -> eu'],
    ...['kv/scheduled -> eu', 'kv/stale -> eu', 'kv/tags -> eu'],
  ]);
});

t.test('how old the oldest difference is', async (t) => {
  const { source, run, work, clock } = house();
  source.write(at('a'), '{}');
  await clock.advance(60_000);
  source.write(at('b'), '{}');
  await clock.advance(60_000);
  t.match(await run(), { oldestDrift: 120 });
  await work();
  t.match(await run(), { oldestDrift: 0 });
  source.delete(at('b'));
  await clock.advance(30_000);
  t.match(await run(), { oldestDrift: 30 });
});

t.test('a copy that no route covers any more, or under another name, is an orphan: told and let be', async (t) => {
  const world = house({ routes: [route('kv'), route('kv', ['us'], { name: 'us', as: 'x/{path}' })] });
  const { source, ends, work, found } = world;
  source.write(at('a'), '{}');
  source.write(at('b'), '{}');
  await world.run();
  await work();
  const narrowed = house({
    routes: [route('kv', ['eu'], { include: ['a'] }), route('kv', ['us'], { name: 'us', as: 'y/{path}' })],
  });
  for (const name of ['eu', 'us'] as const) narrowed.listings[name] = ends[name].copies as never;
  narrowed.source.restore(source.snapshot());
  const report = await narrowed.run();
  t.same(report.found, { eu: { in_sync: 1, orphan: 1 }, us: { missing: 2, orphan: 2 } });
  t.same(await narrowed.found(), ['kv/a -> us', 'kv/b -> us']);
  t.same(await found(), []);
});

t.test('past maxSecrets a missing copy is refused in the report, without a message', async (t) => {
  const { source, run, work } = house({ maxSecrets: 2 });
  source.write(at('a'), '{}');
  source.write(at('b'), '{}');
  await run();
  await work();
  source.write(at('c'), '{}');
  source.write(at('a'), '{"k":2}');
  t.match(await run(), { enqueued: 1, found: { eu: { in_sync: 1, stale: 1, refused: 1 } } });
});

t.test(
  'a copy of a mount of ours that is gone altogether is unknown: neither told as absent nor looked at',
  async (t) => {
    const { source, run, work, lines } = house({ routes: [route('kv'), route('other')], mounts: ['kv', 'other'] });
    source.write(at('a'), '{}');
    source.write(at('x', 'other'), '{}');
    await run();
    await work();
    source.disable({ namespace: '', mount: 'other' });
    const report = await run();
    t.match(report, { enqueued: 0, failed: ['other'], again: true, found: { eu: { in_sync: 1 } } });
    t.match(lines.at(-1), { event: 'sweep.listing_failed', mount: 'other', err: { code: 'source_unavailable' } });
    source.enable({ namespace: '', mount: 'other' });
    t.match(
      await run(),
      { failed: [], found: { eu: { in_sync: 1, conflict: 1 } } },
      'another accessor is another owner',
    );
  },
);

t.test('a destination that cannot be listed is told, and keeps no other waiting', async (t) => {
  const { source, run, listings, lines } = house({ routes: [route('kv', ['eu', 'us'])] });
  source.write(at('a'), '{}');
  listings['eu'] = failing(new ReplicationError('destination_throttled', 'ListSecrets'));
  t.match(await run(), {
    ...{ enqueued: 1, failed: ['destinations.eu'], again: true, down: [] },
    found: { us: { missing: 1 } },
  });
  t.match(lines, [{ level: 'warn', event: 'sweep.listing_failed', destination: 'eu' }]);
  listings['eu'] = failing(new ReplicationError('destination_forbidden', 'ListSecrets'));
  t.match(await run(), { failed: ['destinations.eu'], again: false }, 'no second try can help');
  listings['eu'] = failing(new RangeError('canary'));
  await run();
  t.match(lines.at(-1), { err: { code: 'internal' } });
  t.notMatch(String(lines.at(-1)?.['err']), /canary/);
});

t.test('a destination that is down is passed over; also one that goes down while it is listed', async (t) => {
  const { source, run, down, listings, found } = house({ routes: [route('kv', ['eu', 'us'])] });
  source.write(at('a'), '{}');
  down.add('eu');
  t.match(await run(), { enqueued: 1, failed: [], again: false, down: ['eu'] });
  t.same(await found(), ['kv/a -> us']);
  down.clear();
  listings['eu'] = () => {
    down.add('eu');
    return failing(new ReplicationError('destination_unavailable', 'no answer'))();
  };
  t.match(await run(), { failed: [], again: false, down: ['eu'] });
});

t.test('one that goes down under way gets nothing more', async (t) => {
  const { source, run, down, queue, options } = house({ routes: [route('kv', ['eu', 'us'])] });
  for (let number = 0; number < 30; number += 1) source.write(at(`s${number}`), '{}');
  const { send } = options.publisher;
  queue.publisher.send = (batch) => {
    down.add('us');
    return send(batch);
  };
  t.match(await run(), { down: ['us'] });
  const sent = queue.sent.filter(({ body }) => body.includes('"destination":"us"'));
  t.ok(sent.length <= 10, `${sent.length} were sent`);
});

t.test('a name that cannot be looked up, or cannot be, is put on the queue: the look will say why', async (t) => {
  const { source, ends, run, found } = house();
  source.write(at('a'), '{}');
  source.write(at('p'.repeat(600)), '{}');
  ends.eu.interpose('before', 'describe', () => {
    throw new ReplicationError('destination_throttled', 'DescribeSecret');
  });
  t.match(await run(), { enqueued: 2, found: { eu: { unknown: 2 } } });
  t.equal((await found()).length, 2);
});

t.test('it ends when told to: while it lists either end', async (t) => {
  const { source, run, ending, ends } = house();
  for (let number = 0; number < 50; number += 1) source.write(at(`s${number}`), '{}');
  ends.eu.interpose('before', 'describe', () => ending.abort());
  await t.rejects(run(), { name: 'AbortError' });
  const other = house();
  other.ends.eu.createByHand('kv/a', { tags: { 'vaultferry:vault': 'vault' }, value: '1' });
  other.ending.abort();
  await t.rejects(other.run(), { name: 'AbortError' });
  t.same(other.queue.sent, []);
});

t.test('two secrets that meet in one name are told, and the second is looked at to be refused', async (t) => {
  const { source, run, work } = house({
    routes: [route('kv', ['eu'], { as: 'x/{path}' }), route('other', ['eu'], { as: 'x/{path}' })],
    mounts: ['kv', 'other'],
  });
  source.write(at('a'), '{}');
  source.write(at('a', 'other'), '{}');
  t.match(await run(), { enqueued: 2, found: { eu: { missing: 1, unknown: 1 } } });
  await work();
  t.match(await run(), { enqueued: 1, found: { eu: { conflict: 1, unknown: 1 } } }, 'whoever came first has it');
});

t.test('of a folder that may not be listed nothing is known, and the rest of its mount is looked at', async (t) => {
  const { source, run, work, found } = house();
  for (const path of ['a', 'admin/x', 'prod/y']) source.write(at(path), '{}');
  await run();
  await work();
  source.write(at('prod/y'), '{"k":2}');
  source.purge(at('a'));
  source.hide('admin/', new ReplicationError('source_forbidden', 'no policy'));
  t.match(await run(), {
    ...{ failed: ['kv/admin/'], again: false, enqueued: 2 },
    found: { eu: { stale: 1, not_marked: 1 } },
  });
  t.same((await found()).sort(), ['kv/a -> eu', 'kv/prod/y -> eu']);
});

t.test(
  'where metadata is hidden each secret is looked at, what is gone is gone, and the report is partial',
  async (t) => {
    const { source, run, work, found, lines } = house();
    for (const path of ['a', 'b', 'c']) source.write(at(path), '{}');
    await run();
    await work();
    source.purge(at('a'));
    source.hideMetadata(new ReplicationError('source_forbidden', 'the policy lacks a line'));
    t.match(await run(), {
      ...{ failed: ['kv (metadata)'], again: false, enqueued: 3 },
      found: { eu: { unknown: 2, not_marked: 1 } },
    });
    t.same((await found()).sort(), ['kv/a -> eu', 'kv/b -> eu', 'kv/c -> eu']);
    t.match(
      lines.filter(({ event }) => event === 'sweep.hidden'),
      [{ level: 'warn', mount: 'kv', what: 'metadata', folder: '', err: { message: 'the policy lacks a line' } }],
    );
  },
);
