import fc from 'fast-check';
import t from 'tap';
import { decide, isBehindCurrent, isBehindHint, type Look } from '../../src/replicate/decide.ts';
import { CURRENT, STAGING_LABEL } from '../../src/replicate/destination.ts';
import { lookAtBoth } from '../../src/replicate/look-at.ts';
import type { Absent, PresentV1 } from '../../src/replicate/source.ts';
import { standing } from '../../src/replicate/standing.ts';
import { ownershipTags } from '../../src/replicate/tags.ts';
import { isOurId, momentOf, putId, timeOfId } from '../../src/replicate/version-id.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { copy as copyOfV2, FRESH, HAND, look as lookOfV2, moment, NOW, owner as ownerOfV2 } from './states.ts';
import { KV, NAME, REF, type World, world } from './world.ts';

const mount = { accessor: 'kv_12ab34cd', kv: 1 } as const;
const owner = { ...ownerOfV2, mount };
const ID = putId('2026-11-24T21:42:00.250Z', 'a'.repeat(24));
const NEW_ID = `k1-20261124T220000000000000Z-${FRESH}`;
const sealed = (text: string) => new Sensitive(text);

/** The states of a KV v1 secret whose copy has the value `1`. */
const present = (value: string): PresentV1 => ({ kind: 'present', mount, value: sealed(value) });
const absent: Absent = { kind: 'absent', why: 'purged', mount };
const copy = (more: Parameters<typeof copyOfV2>[0] = {}) =>
  copyOfV2({ tags: ownershipTags(owner), stages: new Map([[ID, [STAGING_LABEL, CURRENT]]]), ...more });
const look = (more: Partial<Look> = {}): Look =>
  lookOfV2({ source: present('1'), destination: copy(), currentValue: sealed('1'), owner, tags: {}, ...more });
const marked = (id: string) =>
  copy({ tags: { ...ownershipTags(owner), 'vaultferry:absent': `2026-11-24T21:55:00.000Z ${id} purged` } });

t.test('an id of a put is no source version, and as Secrets Manager wants a token', async (t) => {
  t.equal(putId(NOW, FRESH), NEW_ID);
  t.match(NEW_ID, /^[A-Za-z0-9-]{32,64}$/);
  t.ok(isOurId(NEW_ID));
  t.ok(isOurId('v3-20261124T214057235646616Z-0123456789abcdef01234567'));
  t.notOk(isOurId(HAND));
  t.notOk(isOurId(`x${NEW_ID}`));
  t.equal(timeOfId(NEW_ID), '20261124T220000000000000Z');
  t.equal(timeOfId('v3-20261124T214057235646616Z-0123456789abcdef01234567'), '20261124T214057235646616Z');
  t.equal(timeOfId(HAND), undefined);
});

const TABLE: readonly (readonly [string, Partial<Look>, object, string])[] = [
  ['no copy yet', { destination: undefined }, { kind: 'create', versionId: NEW_ID }, 'missing'],
  ['equal', {}, { kind: 'keep' }, 'in_sync'],
  ['changed', { source: present('2') }, { kind: 'put', versionId: NEW_ID, from: ID }, 'stale'],
  ['spelled otherwise', { source: present('1.0') }, { kind: 'put' }, 'stale'],
  ['an empty object', { source: present('{}'), currentValue: sealed('{}') }, { kind: 'keep' }, 'in_sync'],
  [
    'nothing at AWSCURRENT',
    { destination: copy({ stages: new Map() }), currentValue: undefined },
    { kind: 'put', versionId: NEW_ID, from: undefined },
    'no_value',
  ],
  ['bytes at AWSCURRENT', { currentValue: undefined }, { kind: 'put', from: ID }, 'stale'],
  [
    'put before, not promoted',
    {
      source: present('2'),
      destination: copy({
        stages: new Map([
          [ID, [CURRENT]],
          [putId('2026-11-24T21:43:00Z', 'b'.repeat(24)), [STAGING_LABEL]],
        ]),
      }),
    },
    { kind: 'put', versionId: NEW_ID, from: ID },
    'stale',
  ],
  [
    'edited by hand to another value',
    { destination: copy({ stages: new Map([[HAND, [CURRENT]]]) }), currentValue: sealed('3') },
    { kind: 'put', from: HAND },
    'edited_by_hand',
  ],
  [
    'edited by hand to the same value',
    { destination: copy({ stages: new Map([[HAND, [CURRENT]]]) }) },
    { kind: 'keep' },
    'in_sync',
  ],
  ['absent', { source: absent }, { kind: 'mark' }, 'not_marked'],
  ['absent and marked', { source: absent, destination: marked(ID) }, { kind: 'keep' }, 'absent_marked'],
  ['absent, marked for another', { source: absent, destination: marked(HAND) }, { kind: 'mark' }, 'not_marked'],
  ['absent, no copy', { source: absent, destination: undefined }, { kind: 'keep' }, 'absent'],
  ['back, equal', { destination: marked(ID) }, { kind: 'unmark' }, 'wrongly_marked'],
  [
    'back, changed',
    { source: present('2'), destination: marked(ID) },
    { kind: 'put', tags: { remove: ['vaultferry:absent'] } },
    'stale',
  ],
  [
    'a tag of the destination lacks',
    { tags: { team: 'x' } },
    { kind: 'retag', tags: { set: { team: 'x' } } },
    'tags_differ',
  ],
  ['scheduled', { destination: copy({ scheduledForDeletion: true }) }, { kind: 'restore' }, 'scheduled_for_deletion'],
  [
    'rotated',
    { destination: copy({ rotationEnabled: true }) },
    { kind: 'refuse', code: 'rotation_enabled' },
    'conflict',
  ],
  ['foreign', { destination: copy({ tags: {} }) }, { kind: 'refuse', code: 'not_owned' }, 'conflict'],
  [
    'too large',
    { source: present('x'.repeat(65_537)), currentValue: undefined },
    { kind: 'refuse', code: 'value_too_large' },
    'refused',
  ],
  ['full', { destination: undefined, fullAt: 1 }, { kind: 'refuse', code: 'limit_reached' }, 'refused'],
];

t.test('every state of a version 1 secret and its copy', async (t) => {
  for (const [title, more, action, state] of TABLE) {
    const seen = look(more);
    t.match(decide(seen), action, title);
    t.equal(standing(seen).state, state, title);
    t.equal(standing(seen).vaultVersion, undefined, title);
    t.equal(standing(seen).replicatedVersion, undefined, title);
  }
  t.equal(standing(look()).since, '2026-11-24T21:42:00.250000000Z', 'when it was put');
});

t.test('a mount of the same accessor and another version is another owner, in both directions', async (t) => {
  const upgraded = { ...mount, kv: 2 } as const;
  const v2 = { kind: 'present', mount: upgraded, version: 1, createdTime: NOW, value: sealed('1') } as const;
  const gone: Absent = { kind: 'absent', why: 'purged', mount: upgraded };
  for (const source of [v2, gone]) {
    const action = decide(look({ source, owner: { ...owner, mount: upgraded } }));
    t.match(action, { kind: 'refuse', code: 'not_owned', text: /vaultferry:mount/ }, source.kind);
  }
  for (const source of [present('1'), absent]) {
    t.match(decide(look({ source, destination: copyOfV2() })), { kind: 'refuse', code: 'not_owned' }, source.kind);
  }
});

t.test(
  'a version 2 answer over a put of version 1, and the other way round, is news and no older answer',
  async (t) => {
    const adopted = { ...copyOfV2(), stages: new Map([[ID, [CURRENT]]]) };
    t.match(decide(lookOfV2({ destination: adopted })), { kind: 'put', from: ID });
    const back = copy({ stages: copyOfV2().stages });
    t.match(decide(look({ destination: back, currentValue: sealed('0') })), { kind: 'put', versionId: NEW_ID });
  },
);

t.test('version 1 has no moments: nothing is ever stale, whatever was hinted', async (t) => {
  for (const source of [present('1'), present('2'), absent]) {
    for (const destination of [copy(), copy({ stages: copyOfV2().stages }), undefined]) {
      const seen = look({ source, destination, hint: moment(9, 9) });
      t.notOk(isBehindHint(seen));
      t.notOk(isBehindCurrent(seen));
      t.not(decide(seen).kind, 'hold');
    }
  }
});

t.test('equal values are never put, different ones always, and no id tells of the value', async () => {
  const text = fc.string();
  fc.assert(
    fc.property(text, text, (wanted, current) => {
      const action = decide(look({ source: present(wanted), currentValue: sealed(current) }));
      if (wanted === current) return action.kind === 'keep';
      return action.kind === 'put' && action.versionId === NEW_ID;
    }),
  );
});

/** A world whose mount is of version 1. */
function v1World(...args: Parameters<typeof world>): World {
  const made = world(...args);
  made.vault.enable(KV, 1);
  return made;
}

t.test('the value is asked for only where it decides', async (t) => {
  const asked: string[] = [];
  const ask = async (seen: Partial<Look>) => {
    const { source, destination } = look(seen);
    asked.length = 0;
    await lookAtBoth(
      {
        source: { read: async () => source },
        destination: {
          describe: async () => destination,
          value: async (arn, id) => {
            asked.push(`${arn} ${id}`);
            return sealed('1');
          },
        },
        clock: { now: () => 0 },
        vault: 'prod',
        tags: {},
        versionTag: true,
        fresh: () => FRESH,
      },
      { ref: owner.ref, route: 'all', secretName: 'kv/app/db', hint: undefined },
    );
    return [...asked];
  };
  t.same(await ask({}), [`${copy().arn} ${ID}`], 'by the ARN and the id that were seen');
  const never: readonly Partial<Look>[] = [
    { source: absent },
    { destination: undefined },
    { destination: copy({ tags: {} }) },
    { destination: copyOfV2() },
    { destination: copy({ stages: new Map() }) },
    { destination: copy({ scheduledForDeletion: true }) },
    { destination: copy({ rotationEnabled: true }) },
    { destination: copy({ owningService: 'rds' }) },
    { source: present('x'.repeat(65_537)) },
    { source: { kind: 'present', mount: { ...mount, kv: 2 }, version: 1, createdTime: NOW, value: sealed('1') } },
  ];
  for (const seen of never) t.same(await ask(seen), []);
});

t.test('created, updated, kept, deleted and back', async (t) => {
  const { vault, aws, run, written } = v1World();
  vault.write(REF, '{"a":1}');
  t.equal((await run()).outcome, 'created');
  t.equal((await run()).outcome, 'unchanged');
  vault.write(REF, '{"a":2}');
  t.equal((await run()).outcome, 'updated');
  t.equal(aws.current(NAME), '{"a":2}');
  t.equal(aws.secret(NAME).tags.get('version'), undefined, 'there is no version to tell');
  t.match(aws.secret(NAME).tags.get('vaultferry:mount'), / v1$/);
  vault.delete(REF);
  t.equal((await run()).outcome, 'marked_absent');
  t.equal(aws.current(NAME), '{"a":2}', 'the copy stays');
  vault.write(REF, '{"a":2}');
  t.equal((await run()).outcome, 'unmarked');
  t.same(written, ['created -', 'updated -', 'marked_absent -', 'unmarked -']);
  t.equal(aws.secret(NAME).versions.size, 2);
});

t.test('a hand edit is found by its value and put right', async (t) => {
  const { vault, aws, run } = v1World();
  vault.write(REF, '1');
  await run();
  aws.edit(NAME, '2');
  t.equal((await run()).outcome, 'updated');
  t.same(aws.secret(NAME).history, ['1', '2', '1']);
  const ids = [...aws.secret(NAME).versions.keys()].filter(isOurId);
  t.equal(new Set(ids).size, 2, 'the same value again is another put');
});

t.test('a crash between put and promotion costs a version, and nothing else', async (t) => {
  const { vault, aws, run, worker } = v1World();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  aws.interpose('before', 'promote', () => {
    throw new Error('crash');
  });
  await t.rejects(run());
  t.equal(aws.current(NAME), '1');
  await worker()();
  t.equal(aws.current(NAME), '2');
  t.equal(aws.secret(NAME).versions.size, 3);
  const sent = aws.calls.length;
  await worker()();
  t.same(aws.operations().slice(sent), ['describe', 'value']);
});

t.test('a worker that stalls never brings an older value back', async (t) => {
  const { vault, aws, clock, run, worker } = v1World();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  const other = worker();
  aws.interpose('before', 'promote', async () => {
    vault.write(REF, '3');
    await other();
    await clock.advance(3_600_000);
  });
  await run();
  t.same(aws.secret(NAME).history, ['1', '3']);
});

t.test('a version that is gone before it was compared is looked at again', async (t) => {
  const { vault, aws, run } = v1World();
  vault.write(REF, '1');
  await run();
  aws.interpose('before', 'value', () => {
    aws.secret(NAME).versions.clear();
    aws.edit(NAME, '9');
  });
  t.equal((await run()).outcome, 'updated');
  t.equal(aws.current(NAME), '1');
});

t.test('a hint of a version is nothing to wait for', async (t) => {
  const { vault, run } = v1World();
  const hint = momentOf(vault.write(REF, '1'));
  t.match(await run({ hint }), { outcome: 'created', behindHint: false });
  vault.delete(REF);
  t.match(await run({ hint }), { outcome: 'marked_absent', behindHint: false });
});

t.test('a mount that becomes the other version is a conflict, written or purged', async (t) => {
  const enabled = v1World();
  enabled.vault.write(REF, '1');
  await enabled.run();
  enabled.vault.upgrade(KV);
  await t.rejects(enabled.run(), { code: 'not_owned' }, 'upgraded in place: the accessor is the same');
  enabled.vault.purge(REF);
  await t.rejects(enabled.run(), { code: 'not_owned' });
  const back = world();
  back.vault.write(REF, '1');
  await back.run();
  back.vault.disable(KV);
  back.vault.enable(KV, 1);
  await t.rejects(back.run(), { code: 'not_owned' }, 'answers a read of version 2 like a purge');
  back.vault.write(REF, '1');
  await t.rejects(back.run(), { code: 'not_owned' });
  t.same(back.aws.secret(NAME).history, ['1']);
  t.notOk(back.aws.secret(NAME).tags.has('vaultferry:absent'));
});
