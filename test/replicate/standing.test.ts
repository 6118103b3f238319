import t from 'tap';
import type { Look } from '../../src/replicate/decide.ts';
import { STAGING_LABEL } from '../../src/replicate/destination.ts';
import { standing } from '../../src/replicate/standing.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { absent, at, copy, DELETED, handEdited, idOf, look, present, staged, tagged } from './states.ts';

const SINCE = '2026-11-24T21:42:00.250000000Z';
const marked = tagged({ 'vaultferry:absent': `2026-11-24T21:55:00.000Z ${idOf(2, 2)} ${DELETED}` });
const deleted = absent('deleted', { latest: at(2, 2), deletionTime: DELETED });
const olderAbsence = absent('deleted', { latest: at(1, 1), deletionTime: DELETED });
const newer = present(at(3, 3));
const huge = { ...newer, value: new Sensitive(`canary${'x'.repeat(65_536)}`) };

const CASES: readonly (readonly [Partial<Look>, object])[] = [
  [{}, { state: 'in_sync', inSync: true, vaultVersion: 2, replicatedVersion: 2, since: SINCE }],
  [{ destination: undefined }, { state: 'missing', vaultVersion: 2, why: 'there is no copy yet' }],
  [{ source: newer }, { state: 'stale', vaultVersion: 3, replicatedVersion: 2, since: SINCE }],
  [{ destination: copy({ stages: new Map() }) }, { state: 'no_value', vaultVersion: 2 }],
  [{ destination: copy({ stages: new Map([[idOf(2, 2), [STAGING_LABEL]]]) }) }, { state: 'no_value' }],
  [
    { source: newer, destination: staged },
    { state: 'not_promoted', vaultVersion: 3, replicatedVersion: 2 },
  ],
  [{ destination: handEdited }, { state: 'edited_by_hand', vaultVersion: 2 }],
  [
    { source: newer, destination: handEdited },
    { state: 'edited_by_hand', vaultVersion: 3 },
  ],
  [{ destination: copy({ scheduledForDeletion: true }) }, { state: 'scheduled_for_deletion', since: SINCE }],
  [{ source: deleted }, { state: 'not_marked', vaultVersion: 2, replicatedVersion: 2, since: SINCE }],
  [
    { source: deleted, destination: marked },
    { state: 'absent_marked', since: '2026-11-24T21:55:00.000Z' },
  ],
  [{ destination: marked }, { state: 'wrongly_marked', since: SINCE }],
  [{ source: deleted, destination: copy({ scheduledForDeletion: true }) }, { state: 'absent_scheduled' }],
  [{ source: absent('purged'), destination: undefined }, { state: 'absent' }],
  [{ source: absent('purged'), destination: copy({ tags: {} }) }, { state: 'absent' }],
  [{ destination: tagged({ version: '1' }) }, { state: 'tags_differ' }],
  [{ destination: copy({ tags: {} }) }, { state: 'conflict', code: 'not_owned', why: /not this copy of kv\/app\/db/ }],
  [{ destination: copy({ rotationEnabled: true }) }, { state: 'conflict', code: 'rotation_enabled' }],
  [{ source: huge }, { state: 'refused', code: 'value_too_large', why: /65542 bytes/ }],
  [{ source: present(at(1, 1)) }, { state: 'source_behind', code: 'source_stale', vaultVersion: 1 }],
  [{ source: olderAbsence, destination: marked }, { state: 'absent_marked' }],
  [{ source: olderAbsence, destination: copy({ scheduledForDeletion: true }) }, { state: 'absent_scheduled' }],
  [{ source: olderAbsence }, { state: 'source_behind', code: 'source_stale' }],
];
const IN_SYNC = ['in_sync', 'absent_marked', 'absent', 'absent_scheduled'];

t.test('each look as a state, with both versions and since when', async (t) => {
  for (const [more, wanted] of CASES) {
    const actual = standing(look(more));
    t.match(actual, wanted);
    t.equal(actual.inSync, IN_SYNC.includes(actual.state), actual.state);
    t.equal(actual.why === undefined, actual.state === 'in_sync', `${actual.state} says why`);
    t.notMatch(JSON.stringify(actual), /canary/);
  }
});

t.test('what is not known is left out', async (t) => {
  t.strictSame(Object.keys(standing(look({ destination: handEdited }))), ['state', 'inSync', 'vaultVersion', 'why']);
  t.strictSame(Object.keys(standing(look({ source: absent('purged'), destination: undefined }))), [
    'state',
    'inSync',
    'why',
  ]);
});
