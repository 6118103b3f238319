import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type Action, decide, type Look } from '../../src/replicate/decide.ts';
import {
  CURRENT,
  currentId,
  type Destination,
  type DestinationState,
  STAGING_LABEL,
} from '../../src/replicate/destination.ts';
import { foreignTags } from '../../src/replicate/tags.ts';
import { isOlder, momentOfId } from '../../src/replicate/version-id.ts';
import { AT_ONCE, fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { absent, at, copy, HAND, idOf, look, moment, owner, present } from './states.ts';

const small = fc.integer({ min: 1, max: 4 });
const version = fc.tuple(small, small).map(([number, minute]) => at(number, minute));
const source: fc.Arbitrary<Look['source']> = fc.oneof(
  { weight: 2, arbitrary: version.map(present) },
  fc
    .record({
      why: fc.constantFrom('deleted' as const, 'destroyed' as const),
      latest: version,
      deletionTime: fc.option(fc.constantFrom('2026-11-24T21:50:00Z', '2026-11-24T21:51:00.125Z'), { nil: undefined }),
    })
    .map(({ why, latest, deletionTime }) =>
      absent(why, { latest, ...(deletionTime !== undefined && { deletionTime }) }),
    ),
  fc.constant(absent('purged')),
);
/** One value of each tag that is ours, or another, or none. */
const tag = (key: string, ...others: string[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(copy().tags[key]) }, fc.constantFrom(...others, undefined));
const tags = fc
  .record({
    'vaultferry:vault': tag('vaultferry:vault', 'staging'),
    'vaultferry:source': tag('vaultferry:source', 'kv/other'),
    'vaultferry:route': tag('vaultferry:route', 'other'),
    'vaultferry:mount': tag('vaultferry:mount', 'kv_99 v2'),
    'vaultferry:absent': fc.option(fc.constantFrom('x', `${at(1, 1).createdTime} ${idOf(2, 2)} purged`), {
      nil: undefined,
    }),
    version: fc.option(fc.constantFrom('1', '2'), { nil: undefined }),
    theirs: fc.option(fc.constant('kept'), { nil: undefined }),
  })
  .map((all) => Object.fromEntries(Object.entries(all).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))));
const id = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(small, small).map(([number, minute]) => idOf(number, minute)) },
  fc.constant(HAND),
);
/** As AWS would have it: each label at one version, and AWSCURRENT wherever there is any. */
const stages = fc
  .tuple(fc.option(id, { nil: undefined }), fc.option(id, { nil: undefined }), fc.option(id, { nil: undefined }))
  .map(([current, ours, previous]) => {
    const map = new Map<string, string[]>();
    if (current === undefined) return map;
    map.set(current, [CURRENT]);
    if (ours !== undefined) map.set(ours, [...(map.get(ours) ?? []), STAGING_LABEL]);
    if (previous !== undefined && previous !== current)
      map.set(previous, [...(map.get(previous) ?? []), 'AWSPREVIOUS']);
    return map;
  });
const destination: fc.Arbitrary<DestinationState> = fc
  .record({
    tags,
    stages,
    scheduledForDeletion: fc.boolean(),
    rotationEnabled: fc.integer({ max: 7, min: 0 }).map((n) => n === 0),
  })
  .map(copy);
const looks: fc.Arbitrary<Look> = fc
  .record({
    source,
    destination: fc.option(destination, { nil: undefined }),
    hint: fc.option(
      fc.tuple(small, small).map(([number, minute]) => moment(number, minute)),
      { nil: undefined },
    ),
    acceptStale: fc.boolean(),
    tags: fc.constantFrom({}, { version: '2' }, { version: '3', team: 'x' }),
  })
  .map(look);

const WRITES = ['create', 'put', 'promote', 'restore', 'mark', 'unmark', 'retag'];
const MOVES = ['create', 'put', 'promote'];
const MANY = { numRuns: 2_000 };

t.test('decide never throws, whatever it is shown', async () => {
  const text = fc.string({ unit: 'binary' });
  const anything = fc
    .record({
      destination: fc
        .record({
          tags: fc.dictionary(text, text),
          stages: fc.uniqueArray(text).map((ids) => new Map(ids.map((one) => [one, [CURRENT]]))),
        })
        .map(copy),
      source: fc.record({ version: fc.integer(), createdTime: text }).map(present),
      hint: fc.option(fc.record({ version: fc.integer(), time: text }), { nil: undefined }),
      now: text,
    })
    .map(look);
  fc.assert(
    fc.property(fc.oneof(looks, anything), (any) => [...WRITES, 'keep', 'refuse', 'hold'].includes(decide(any).kind)),
    MANY,
  );
});

t.test('a secret of which one ownership tag differs is never written', async () => {
  fc.assert(
    fc.property(looks, (any) => {
      fc.pre(any.destination !== undefined && foreignTags(any.destination.tags, owner).length > 0);
      return !WRITES.includes(decide(any).kind);
    }),
    MANY,
  );
});

t.test('a rotated secret is never written', async () => {
  fc.assert(
    fc.property(looks, (any) => {
      fc.pre(any.destination?.rotationEnabled === true);
      return !WRITES.includes(decide(any).kind);
    }),
    MANY,
  );
});

t.test('AWSCURRENT never moves to an older moment unless that is believed', async () => {
  fc.assert(
    fc.property(looks, (any) => {
      const action = decide(any);
      const seen = any.destination && currentId(any.destination);
      if (!MOVES.includes(action.kind) || seen === undefined || any.acceptStale) return true;
      const [from, to] = [momentOfId(seen), 'versionId' in action ? momentOfId(action.versionId) : undefined];
      return from === undefined || (to !== undefined && !isOlder(to, from));
    }),
    MANY,
  );
});

/** The state as a secret of the fake. */
function arrange(state: DestinationState | undefined) {
  const aws = fakeSecretsManager();
  if (state === undefined) return aws;
  const secret = aws.createByHand('kv/app/db', { tags: state.tags });
  for (const [one, labels] of state.stages) {
    secret.versions.set(one, { value: JSON.stringify({ of: one }), createdAt: 0, labels: new Set(labels) });
  }
  secret.scheduledForDeletion = state.scheduledForDeletion;
  secret.rotationEnabled = state.rotationEnabled;
  return aws;
}

async function apply(
  aws: Destination,
  action: Action,
  { destination: seen, owner: who, tags: own }: Look,
): Promise<void> {
  const arn = seen?.arn ?? '';
  if (action.kind === 'create') {
    const { versionId, source: from } = action;
    const ownership = {
      ...own,
      'vaultferry:vault': who.vault,
      'vaultferry:source': 'kv/app/db',
      'vaultferry:route': 'all',
      'vaultferry:mount': 'kv_12ab34cd v2',
    };
    await aws.create({ name: 'kv/app/db', description: '', versionId, value: from.value, tags: ownership }, AT_ONCE);
  }
  if (action.kind === 'put') await aws.put(arn, action.versionId, action.source.value, AT_ONCE);
  if (action.kind === 'put' || action.kind === 'promote') {
    await aws.promote(arn, action.versionId, action.from, AT_ONCE);
  }
  if (action.kind === 'restore') await aws.restore(arn, AT_ONCE);
  if ('tags' in action) await aws.retag(arn, action.tags, AT_ONCE);
}

t.test('after three actions at most nothing is left to do, and the copy is what Vault said', async () => {
  const SETTLED = ['keep', 'refuse', 'hold'];
  await fc.assert(
    fc.asyncProperty(looks, async (any) => {
      const aws = arrange(any.destination);
      for (let steps = 0; ; steps += 1) {
        const now = { ...any, destination: await aws.describe('kv/app/db') };
        const action = decide(now);
        if (action.kind === 'keep' && any.source.kind === 'present') {
          assert.equal(aws.current('kv/app/db'), any.source.value.reveal());
          assert.equal(now.destination?.tags['vaultferry:absent'], undefined);
          assert.equal(now.destination?.tags['theirs'], any.destination?.tags['theirs'], 'foreign tags are left alone');
        }
        if (SETTLED.includes(action.kind)) return;
        assert.ok(steps < 3, `still ${action.kind} after three actions`);
        await apply(aws, action, now);
      }
    }),
    MANY,
  );
});
