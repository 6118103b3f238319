import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import type { Limiter } from '../../src/limiter.ts';
import { TAG_ABSENT } from '../../src/replicate/tags.ts';
import { UNLIMITED } from '../fakes/secrets-manager.ts';
import { at, house, namesOf, type Settings } from './house.ts';

const MINUTE = 60_000;

/** Copies of these paths, whose secrets were deleted, which a sweep has found and the worker has marked. */
async function marked(settings: Settings, paths: readonly string[], others = 0) {
  const world = house(settings);
  const { source, run, work } = world;
  for (const path of paths) source.write(at(path), '{"k":1}');
  for (let number = 0; number < others; number += 1) source.write(at(`other/${number}`), '{}');
  await run();
  await work();
  for (const path of paths) source.purge(at(path));
  await run();
  await work();
  return world;
}

const approvalOf = ({ ends }: ReturnType<typeof house>, path: string) => {
  const { tags, versions } = ends.eu.secret(`kv/${path}`);
  return { ref: `kv/${path}`, versionId: [...versions.keys()][0] ?? '', mark: tags.get(TAG_ABSENT) ?? '' };
};

t.test('without onDelete: schedule nothing is ever deleted', async (t) => {
  const { run, clock, ends, DAY } = await marked({}, ['a']);
  await clock.advance(30 * DAY);
  t.match(await run(), { deleted: 0, held: {}, found: { eu: { absent_marked: 1 } } });
  t.notOk(ends.eu.secret('kv/a').scheduledForDeletion);
});

t.test(
  'a copy is deleted by a sweep alone, only once it was marked for the whole grace, with the window',
  async (t) => {
    const world = await marked({ deletion: {} }, ['a']);
    const { run, clock, ends, done, extended } = world;
    await clock.advance(15 * MINUTE - 1);
    t.match(await run(), { deleted: 0 });
    t.notOk(ends.eu.operations().includes('delete'));
    await clock.advance(1);
    const days: number[] = [];
    const { scheduleDeletion } = ends.eu;
    ends.eu.scheduleDeletion = (arn, recoveryDays, errand) => {
      days.push(recoveryDays);
      t.equal(arn, ends.eu.secret('kv/a').arn);
      return scheduleDeletion(arn, recoveryDays, errand);
    };
    t.match(await run(), { deleted: 1, held: {}, enqueued: 0 });
    t.same([days, done, extended.length], [[30], ['deleted kv/a'], 1]);
    t.ok(ends.eu.secret('kv/a').scheduledForDeletion);
    t.match(await run(), { deleted: 0, found: { eu: { absent_scheduled: 1 } } });
  },
);

t.test('what is written again after its deletion is found, restored and put', async (t) => {
  const { run, clock, ends, source, work } = await marked({ deletion: {} }, ['a']);
  await clock.advance(15 * MINUTE);
  await run();
  source.write(at('a'), '{"k":2}');
  t.match(await run(), { enqueued: 1, found: { eu: { scheduled_for_deletion: 1 } } });
  await work();
  t.match(await run(), { enqueued: 0, found: { eu: { in_sync: 1 } } });
  t.equal(ends.eu.current('kv/a'), '{"k":2}');
});

t.test('more than the smaller of count and share are held, and told', async (t) => {
  const paths = ['a', 'b', 'c'];
  const table: readonly [others: number, deletion: Partial<Settings['deletion']>, deleted: number][] = [
    [0, {}, 0], // 5 % of 3 is less than one: one may go
    [57, {}, 3], // 5 % of 60
    [56, {}, 0],
    [97, { maxPerSweep: 2 }, 0],
    [97, { maxPerSweep: 3 }, 3],
    [0, { maxShare: 1 }, 3],
  ];
  for (const [others, deletion, deleted] of table) {
    const { run, clock, ends, lines } = await marked({ deletion: { ...deletion } }, paths, others);
    await clock.advance(15 * MINUTE);
    const held = deleted === 0 ? { eu: 3 } : {};
    t.match(await run(), { deleted, held }, `${others} others, ${JSON.stringify(deletion)}`);
    t.equal(ends.eu.operations().filter((operation) => operation === 'delete').length, deleted);
    if (deleted === 0) {
      t.match(
        lines.find(({ event }) => event === 'sweep.deletions_held'),
        { level: 'warn', destination: 'eu', count: 3, refs: ['kv/a', 'kv/b', 'kv/c'] },
      );
    }
  }
});

t.test('one at least may go, however few copies there are', async (t) => {
  const { run, clock } = await marked({ deletion: {} }, ['a'], 3);
  await clock.advance(15 * MINUTE);
  t.match(await run(), { deleted: 1, held: {} });
});

t.test('an approval lets go what it names, as long as version and mark are those that were shown', async (t) => {
  const world = await marked({ deletion: {} }, ['a', 'b', 'c', 'd']);
  const { run, clock, ends, source, work } = world;
  await clock.advance(15 * MINUTE);
  const [a, b, c] = ['a', 'b', 'c'].map((path) => approvalOf(world, path));
  source.write(at('c'), '{"k":2}'); // back, and gone once more: another version, another mark
  await run();
  await work();
  source.purge(at('c'));
  await run();
  await work();
  await clock.advance(15 * MINUTE);
  const approvals = [a, { ...b, mark: `${b?.mark}x` }, c].flatMap((approval) =>
    approval?.ref === undefined ? [] : [{ ...b, ...approval } as NonNullable<typeof a>],
  );
  t.match(await run({ approvals: () => approvals }), { deleted: 1, held: { eu: 3 } });
  t.same(
    namesOf(ends.eu, 'kv/a', 'kv/b', 'kv/c', 'kv/d').filter((name) => ends.eu.secret(name).scheduledForDeletion),
    ['kv/a'],
  );
});

t.test('each deletion looks anew: what is no longer as it was stays', async (t) => {
  const changes: Record<string, (world: ReturnType<typeof house>) => void> = {
    'written again': ({ source }) => void source.write(at('a'), '{"k":2}'),
    'another mark': ({ ends }) => {
      const { tags } = ends.eu.secret('kv/a');
      tags.set(TAG_ABSENT, `2026-11-24T21:30:00.000Z ${tags.get(TAG_ABSENT)?.split(' ').slice(1).join(' ')}`);
    },
    'edited by hand': ({ ends }) => ends.eu.edit('kv/a', 'by hand'),
    'not ours any more': ({ ends }) => void ends.eu.secret('kv/a').tags.delete('vaultferry:vault'),
    gone: ({ ends }) => void ends.eu.remove('kv/a'),
    're-created by somebody': ({ ends }) => {
      ends.eu.remove('kv/a');
      ends.eu.createByHand('kv/a', { value: 'theirs' });
    },
    'another mount': ({ source }) => {
      source.disable({ namespace: '', mount: 'kv' });
      source.enable({ namespace: '', mount: 'kv' });
    },
    'no mount': ({ source }) => source.disable({ namespace: '', mount: 'kv' }),
    replicas: ({ ends }) => {
      ends.eu.secret('kv/a').replicas = ['us-west-2'];
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    const world = await marked({ deletion: {} }, ['a']);
    const { run, clock, ends, listings, done } = world;
    await clock.advance(15 * MINUTE);
    const { copies } = ends.eu;
    listings['eu'] = async function* () {
      yield* copies() as AsyncIterable<never>;
    };
    ends.eu.interpose('before', 'describe', () => change(world)); // after both listings, before the last look
    await run();
    t.same(done, [], name);
    t.notOk(ends.eu.operations().includes('delete'), name);
  }
});

t.test('copies with replicas stay, and hold up nobody else', async (t) => {
  const { run, clock, ends, done } = await marked({ deletion: {} }, ['a', 'b', 'c', 'd']);
  for (const path of ['a', 'b', 'c']) ends.eu.secret(`kv/${path}`).replicas = ['us-west-2'];
  await clock.advance(15 * MINUTE);
  t.match(await run(), { deleted: 1, held: {} });
  t.same(done, ['deleted kv/d']);
});

t.test('what cannot be looked up counts against the guard', async (t) => {
  const { run, clock, ends, done } = await marked({ deletion: {} }, ['a', 'b']);
  ends.eu.secret('kv/a').replicas = ['us-west-2'];
  await clock.advance(15 * MINUTE);
  ends.eu.interpose('before', 'describe', () => {
    throw new ReplicationError('destination_unavailable', 'no answer');
  });
  t.match(await run(), { deleted: 0, held: { eu: 2 } });
  t.same(done, []);
});

t.test('deletion.replicas lets a copy with replicas go', async (t) => {
  const { run, clock, ends } = await marked({ deletion: { replicas: true } }, ['a']);
  ends.eu.secret('kv/a').replicas = ['us-west-2'];
  await clock.advance(15 * MINUTE);
  t.match(await run(), { deleted: 1 });
});

t.test(
  'the delete goes out only right after the request was kept; else all ends, since somebody else may sweep',
  async (t) => {
    const world = await marked({ deletion: { maxShare: 1 } }, ['a', 'b']);
    await world.clock.advance(15 * MINUTE);
    const lost = new ReplicationError('queue_unavailable', 'ChangeMessageVisibility');
    await t.rejects(world.run({ extend: () => Promise.reject(lost) }), { code: 'queue_unavailable' });
    t.notOk(world.ends.eu.operations().includes('delete'));
  },
);

t.test('what Vault said is too old after ten seconds', async (t) => {
  const world = await marked({ deletion: {} }, ['a']);
  await world.clock.advance(15 * MINUTE);
  t.match(await world.run({ extend: async () => world.clock.stall(10_001) }), { deleted: 0 });
  t.notOk(world.ends.eu.operations().includes('delete'));
  t.match(
    world.lines.find(({ event }) => event === 'secret.not_deleted'),
    { level: 'warn', ref: 'kv/a', code: 'promotion_conflict' },
  );
});

/** A copy that is due, whose deletion's first turn comes after 11 s; what became of the turns. */
async function dueInLine(meanwhile: (world: Awaited<ReturnType<typeof marked>>) => void = () => undefined) {
  const world = await marked({ deletion: {} }, ['a']);
  await world.clock.advance(15 * MINUTE);
  const turns: number[] = [];
  const limiter: Limiter = {
    ...UNLIMITED,
    async turn({ first = false } = {}) {
      turns.push(first ? Number.NaN : 1);
      world.clock.stall(11_000);
      meanwhile(world);
    },
    giveBack: (calls) => void turns.push(-calls),
  };
  const { scheduleDeletion } = world.ends.eu;
  world.ends.eu.scheduleDeletion = (arn, days, errand) =>
    scheduleDeletion(arn, days, { turn: (_, need) => errand.turn(limiter, need) });
  return { ...world, turns };
}

t.test('a deletion stands in line; whose look was too old by then looks again, and acts at once', async (t) => {
  const { run, turns, ends } = await dueInLine();
  const before = ends.eu.operations().length;
  t.match(await run(), { deleted: 1 });
  t.same(ends.eu.operations().slice(before), ['describe', 'describe', 'delete']);
  t.same(turns, [1]);
});

t.test('a secret that came back while its deletion stood in line is kept, and the turn goes to others', async (t) => {
  const { run, turns, ends } = await dueInLine(({ source }) => source.write(at('a'), '{"k":2}'));
  t.match(await run(), { deleted: 0 });
  t.notOk(ends.eu.operations().includes('delete'));
  t.same(turns, [1, -1]);
});

t.test('a deletion that is not sent at the last moment gives its turn back', async (t) => {
  const { run, turns } = await dueInLine();
  const lost = new ReplicationError('queue_unavailable', 'ChangeMessageVisibility');
  await t.rejects(run({ extend: () => Promise.reject(lost) }), { code: 'queue_unavailable' });
  t.same(turns, [1, -1]);
});

t.test('a secret that is back at the last moment is restored', async (t) => {
  const world = await marked({ deletion: {} }, ['a']);
  const { run, clock, ends, source, done } = world;
  await clock.advance(15 * MINUTE);
  ends.eu.interpose('after', 'delete', () => void source.write(at('a'), '{"k":2}'));
  t.match(await run(), { deleted: 0 });
  t.same(done, ['deleted kv/a', 'restored kv/a']);
  t.notOk(ends.eu.secret('kv/a').scheduledForDeletion);
});

t.test('a deletion that fails keeps no other waiting; a shutdown ends it', async (t) => {
  const world = await marked({ deletion: { maxShare: 1 } }, ['a', 'b']);
  await world.clock.advance(15 * MINUTE);
  world.ends.eu.interpose('before', 'delete', () => {
    throw new ReplicationError('destination_throttled', 'DeleteSecret');
  });
  t.match(await world.run(), { deleted: 1 });
  t.match(await world.run(), { deleted: 1 });
  const ended = await marked({ deletion: { maxShare: 1 } }, ['a', 'b']);
  await ended.clock.advance(15 * MINUTE);
  ended.ends.eu.interpose('after', 'delete', () => ended.ending.abort());
  await t.rejects(ended.run(), { name: 'AbortError' });
  t.equal(ended.ends.eu.operations().filter((operation) => operation === 'delete').length, 1);
});

t.test('at a destination that is down nothing is deleted', async (t) => {
  const { run, clock, down, ends } = await marked({ deletion: {} }, ['a']);
  await clock.advance(15 * MINUTE);
  down.add('eu');
  t.match(await run(), { deleted: 0, down: ['eu'] });
  t.notOk(ends.eu.operations().includes('delete'));
});

t.test('a destination that goes down before its deletions is owed a sweep', async (t) => {
  const { run, clock, down, ends, listings } = await marked({ deletion: {} }, ['a']);
  await clock.advance(15 * MINUTE);
  const { copies } = ends.eu;
  listings['eu'] = async function* () {
    yield* copies() as AsyncIterable<never>;
    down.add('eu');
  };
  t.match(await run(), { deleted: 0, down: ['eu'] });
  t.notOk(ends.eu.operations().includes('delete'));
});

t.test('a clock that is ahead does not cut the grace short', async (t) => {
  const { run, clock } = await marked({ deletion: {} }, ['a']);
  const now = clock.now();
  await clock.advance(15 * MINUTE);
  t.match(await run({ now: () => now + 15 * MINUTE - 1 }), { deleted: 0 });
  t.match(await run({ now: () => now + 15 * MINUTE }), { deleted: 1 });
});

t.test(
  'a deletion that may have taken effect, and one after which nothing can be read, is looked at again',
  async (t) => {
    for (const fails of ['delete', 'read', 'restore'] as const) {
      const world = await marked({ deletion: {} }, ['a']);
      const { run, clock, ends, source, work } = world;
      await clock.advance(15 * MINUTE);
      const outage = new ReplicationError('destination_unavailable', 'no answer');
      ends.eu.interpose('after', 'delete', () => {
        source.write(at('a'), '{"k":2}');
        if (fails === 'delete') throw outage;
        if (fails === 'read') {
          source.afterRead(() => {
            throw new ReplicationError('source_unavailable', 'no answer');
          });
        }
      });
      if (fails === 'restore') {
        ends.eu.interpose('before', 'restore', () => {
          throw outage;
        });
      }
      t.match(await run(), { enqueued: 1 }, fails);
      t.match(world.lines.at(-1), { level: 'warn', event: 'secret.deletion_unconfirmed', ref: 'kv/a' });
      t.ok(ends.eu.secret('kv/a').scheduledForDeletion);
      await work();
      t.equal(ends.eu.current('kv/a'), '{"k":2}', fails);
      t.notOk(ends.eu.secret('kv/a').scheduledForDeletion);
    }
  },
);

t.test('what Vault said after a deletion is too old after ten seconds too: a worker looks again', async (t) => {
  const world = await marked({ deletion: {} }, ['a']);
  const { run, clock, ends, source } = world;
  await clock.advance(15 * MINUTE);
  ends.eu.interpose('after', 'delete', () => void source.write(at('a'), '{"k":2}'));
  ends.eu.interpose('before', 'restore', () => clock.stall(10_001));
  t.match(await run(), { enqueued: 1 });
  t.ok(ends.eu.secret('kv/a').scheduledForDeletion);
});

t.test('an outage ends the deletions, and what SQS does not take ends the sweep', async (t) => {
  const outage = new ReplicationError('destination_unavailable', 'no answer');
  const one = await marked({ deletion: { maxShare: 1 } }, ['a', 'b', 'c']);
  await one.clock.advance(15 * MINUTE);
  one.ends.eu.interpose('before', 'describe', () => {
    throw outage;
  });
  t.match(await one.run(), { deleted: 0, failed: ['destinations.eu'], again: true }, 'another sweep goes on');
  t.equal(one.lines.filter(({ event }) => event === 'secret.not_deleted').length, 1);
  const other = await marked({ deletion: {} }, ['a']);
  await other.clock.advance(15 * MINUTE);
  other.ends.eu.interpose('after', 'delete', () => {
    other.queue.faults.call = (operation) => operation === 'send';
    throw outage;
  });
  await t.rejects(other.run(), { code: 'queue_unavailable' });
});
