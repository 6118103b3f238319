import t from 'tap';
import type { Look } from '../../src/replicate/decide.ts';
import type { DestinationState } from '../../src/replicate/destination.ts';
import { adoption, releasing } from '../../src/replicate/ownership.ts';
import { ownershipTags, type Tags } from '../../src/replicate/tags.ts';
import { copy, lacking, look, owner, tagged } from './states.ts';

const { arn } = copy();
const OURS = ownershipTags(owner);
const only = (tags: Tags): DestinationState => copy({ tags });
const adopt = (destination: DestinationState | undefined, more: Partial<Look> = {}) =>
  adoption(look({ destination, ...more }));
const change = (set: Tags, remove: readonly string[] = []) => ({ kind: 'change', arn, tags: { set, remove } });
const refuse = (code: string, text: RegExp) => ({ kind: 'refuse', code, text });
const keep = { kind: 'keep', arn };

t.test(
  'nothing foreign is adopted for a ref that Vault does not have: it would be marked, and might be deleted',
  (t) => {
    const source = { kind: 'absent', why: 'purged', mount: owner.mount } as const;
    t.match(adopt(only({}), { source }), refuse('not_owned', /^Vault has no kv\/app\/db/));
    t.match(adopt(tagged({ 'vaultferry:source': 'kv/x' }), { source }), { kind: 'refuse' });
    t.match(adopt(tagged({ 'vaultferry:mount': 'x v2' }), { source }), { kind: 'change' }, 'our own copy of this ref');
    t.match(adopt(only({ 'vaultferry:released': 'kv/app/db' }), { source }), { kind: 'change' });
    t.end();
  },
);

t.test('what an adoption makes of each secret', (t) => {
  const released = { 'vaultferry:released': 'kv/app/db' };
  const table: readonly [string, DestinationState | undefined, object][] = [
    ['none', undefined, refuse('not_owned', /no secret kv\/app\/db to adopt/)],
    ['ours', copy(), keep],
    ['nobody’s', only({}), change(OURS)],
    ['with tags of its own', only({ team: 'x' }), change(OURS)],
    ['of the AWS sample', only({ version: '7' }), change({ ...OURS, 'vaultferry:keeps': 'version' })],
    ['of another vault', tagged({ 'vaultferry:vault': 'stage' }), change({ 'vaultferry:vault': 'prod' })],
    ['of another ref', tagged({ 'vaultferry:source': 'kv/x' }), change({ 'vaultferry:source': 'kv/app/db' })],
    ['of another route', tagged({ 'vaultferry:route': 'x' }), change({ 'vaultferry:route': 'all' })],
    ['of another mount', tagged({ 'vaultferry:mount': 'x v2' }), change({ 'vaultferry:mount': 'kv_12ab34cd v2' })],
    [
      'marked as absent by its former owner',
      tagged({ 'vaultferry:vault': 'stage', 'vaultferry:absent': 'x' }),
      change({ 'vaultferry:vault': 'prod' }, ['vaultferry:absent']),
    ],
    ['with a tag of ours missing', lacking('vaultferry:route'), change({ 'vaultferry:route': 'all' })],
    ['released', only(released), change(OURS, ['vaultferry:released'])],
    [
      'released, and tagged with a version since',
      only({ ...released, version: 'theirs' }),
      change({ ...OURS, 'vaultferry:keeps': 'version' }, ['vaultferry:released']),
    ],
    ['released in part', tagged(released), change({}, ['vaultferry:released'])],
    ['rotated', copy({ tags: {}, rotationEnabled: true }), refuse('rotation_enabled', /rotation/)],
    ['of a service', copy({ tags: {}, owningService: 'rds' }), refuse('rotation_enabled', /managed by rds/)],
    ['scheduled for deletion', copy({ tags: {}, scheduledForDeletion: true }), refuse('not_owned', /restore it first/)],
    ['ours and rotated', copy({ rotationEnabled: true }), refuse('rotation_enabled', /rotation/)],
    ['without a value', copy({ tags: {}, stages: new Map() }), change(OURS)],
  ];
  for (const [what, destination, expected] of table) t.match(adopt(destination), expected, what);
  for (const [what, destination, expected] of table) {
    if (!('tags' in expected)) continue;
    t.strictSame(adopt(destination), expected, `${what}: no other tag is touched`);
  }
  t.end();
});

t.test('a copy that becomes one of KV version 1 loses our version tag, and no other', (t) => {
  const mount = { ...owner.mount, kv: 1 } as const;
  const tags = { 'vaultferry:mount': 'kv_12ab34cd v1' };
  const adoptV1 = (destination: DestinationState) => adopt(destination, { owner: { ...owner, mount } });
  t.match(adoptV1(copy()), { kind: 'change', tags: { set: tags, remove: ['version'] } });
  t.match(adoptV1(tagged({ 'vaultferry:keeps': 'version' })), { tags: { set: tags, remove: [] } });
  t.match(adoptV1(only({ version: 'theirs' })), { tags: { remove: [] } });
  t.end();
});

t.test('what a release makes of each secret', (t) => {
  const release = (destination: DestinationState, versionTag = true, ref: typeof owner.ref | undefined = owner.ref) =>
    releasing(destination, { vault: 'prod', ref, versionTag });
  const released = { 'vaultferry:released': 'kv/app/db' };
  const ownership = Object.keys(OURS);
  const foreign = refuse('not_owned', /no copy of ours of that secret/);
  t.strictSame(release(copy()), change(released, [...ownership, 'version']));
  t.strictSame(release(copy(), false), change(released, ownership), 'a version tag that is not ours');
  t.strictSame(
    release(tagged({ 'vaultferry:keeps': 'version' })),
    change(released, [...ownership, 'vaultferry:keeps']),
  );
  t.strictSame(
    release(tagged({ team: 'x', 'vaultferry:absent': 'x' })),
    change(released, [...ownership, 'vaultferry:absent', 'version']),
    'foreign tags stay',
  );
  t.strictSame(release(lacking('version')), change(released, ownership));
  t.strictSame(release(tagged(released)), change({}, [...ownership, 'version']), 'what was begun is ended');
  t.strictSame(release(only(released)), keep);
  t.match(release(only({})), foreign);
  t.match(release(only({ 'vaultferry:released': 'kv/other' })), foreign);
  t.match(release(tagged({ 'vaultferry:vault': 'stage' })), foreign);
  t.match(release(tagged({ 'vaultferry:source': 'kv/other' })), foreign);
  t.strictSame(
    release(tagged({ 'vaultferry:route': 'renamed', 'vaultferry:mount': 'gone v2' })),
    change(released, [...ownership, 'version']),
    'of another route or mount: still of this ref and vault',
  );
  t.match(release(copy({ scheduledForDeletion: true })), refuse('not_owned', /scheduled for deletion/));
  t.end();
});

t.test('all of a vault are released by the ref that each names', (t) => {
  const release = (destination: DestinationState) =>
    releasing(destination, { vault: 'prod', ref: undefined, versionTag: true });
  const other = tagged({ 'vaultferry:source': 'kv/other' });
  t.match(release(other), { kind: 'change', tags: { set: { 'vaultferry:released': 'kv/other' } } });
  t.strictSame(release(only({ 'vaultferry:released': 'kv/other' })), keep);
  t.match(release(only({})), refuse('not_owned', /no copy of ours: its tags say so/));
  t.match(release(tagged({ 'vaultferry:vault': 'stage' })), { kind: 'refuse' });
  t.end();
});
