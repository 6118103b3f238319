import t from 'tap';
import { type Action, decide, type Look } from '../../src/replicate/decide.ts';
import { CURRENT, type DestinationState, STAGING_LABEL } from '../../src/replicate/destination.ts';
import { type State, standing } from '../../src/replicate/standing.ts';
import { absent, at, copy, handEdited, idOf, lacking, look, present, tagged } from './states.ts';

const stale = copy({
  stages: new Map([[idOf(1, 1), [STAGING_LABEL, CURRENT]]]),
  tags: { ...copy().tags, version: '1' },
});
const putOnly = copy({
  stages: new Map([
    [idOf(1, 1), [CURRENT]],
    [idOf(2, 2), [STAGING_LABEL]],
  ]),
});
const sample = (version: string, more: Partial<DestinationState> = {}) => copy({ tags: { version }, ...more });
const released = { 'vaultferry:released': 'kv/app/db' };
const adopted = { 'vaultferry:keeps': 'version', version: 'theirs' };

const summary = (action: Action): string => {
  switch (action.kind) {
    case 'put':
    case 'promote':
      return `${action.kind} over ${action.from === undefined ? 'nothing' : action.from.slice(0, 2)}`;
    case 'refuse':
    case 'hold':
      return `${action.kind} ${action.code}`;
    default:
      return action.kind;
  }
};

/** What stands in Secrets Manager; what is done while the secret is in Vault, and once it is deleted; what status says. */
const STATES: readonly [string, DestinationState | undefined, string, string, State][] = [
  ['none', undefined, 'create', 'keep', 'missing'],
  ['ours and current', copy(), 'keep', 'mark', 'in_sync'],
  ['ours and stale', stale, 'put over v1', 'mark', 'stale'],
  ['ours with a foreign AWSCURRENT', handEdited, 'promote over 00', 'mark', 'edited_by_hand'],
  ['put but not promoted', putOnly, 'promote over v1', 'mark', 'not_promoted'],
  ['scheduled for deletion', copy({ scheduledForDeletion: true }), 'restore', 'keep', 'scheduled_for_deletion'],
  ['without a value', copy({ stages: new Map() }), 'put over nothing', 'mark', 'no_value'],
  ['with replicas', copy({ replicas: ['eu-west-1'] }), 'keep', 'mark', 'in_sync'],
  [
    'rotation enabled',
    copy({ rotationEnabled: true }),
    'refuse rotation_enabled',
    'refuse rotation_enabled',
    'conflict',
  ],
  [
    'owned by a service',
    copy({ owningService: 'rds' }),
    'refuse rotation_enabled',
    'refuse rotation_enabled',
    'conflict',
  ],
  ['no ownership tag', copy({ tags: { team: 'x' } }), 'refuse not_owned', 'keep', 'conflict'],
  ['an ownership tag too few', lacking('vaultferry:vault'), 'refuse not_owned', 'keep', 'conflict'],
  ['of another ref', tagged({ 'vaultferry:source': 'kv/other' }), 'refuse not_owned', 'keep', 'conflict'],
  ['of another vault', tagged({ 'vaultferry:vault': 'stage' }), 'refuse not_owned', 'keep', 'conflict'],
  ['of another route', tagged({ 'vaultferry:route': 'x' }), 'refuse not_owned', 'refuse not_owned', 'conflict'],
  ['of another accessor', tagged({ 'vaultferry:mount': 'x v2' }), 'refuse not_owned', 'refuse not_owned', 'conflict'],
  ['created by the AWS sample', sample('2'), 'refuse not_owned', 'keep', 'conflict'],
  [
    'created by the AWS sample, scheduled',
    sample('2', { scheduledForDeletion: true }),
    'refuse not_owned',
    'keep',
    'conflict',
  ],
  ['released', copy({ tags: released }), 'refuse released', 'keep', 'released'],
  ['released in part', tagged(released), 'refuse released', 'keep', 'released'],
  ['adopted, with a version tag of somebody else', tagged(adopted), 'keep', 'mark', 'in_sync'],
];

t.test('every state of the destination', (t) => {
  const gone: Partial<Look> = { source: absent('deleted', { latest: at(2, 2), deletionTime: '2026-11-24T21:50:00Z' }) };
  for (const [what, destination, inVault, deleted, state] of STATES) {
    t.equal(summary(decide(look({ destination }))), inVault, what);
    t.equal(summary(decide(look({ destination, ...gone }))), deleted, `${what}, and deleted in Vault`);
    t.equal(standing(look({ destination })).state, state, `${what}: status`);
  }
  t.end();
});

t.test('a version tag of somebody else is not written with a promotion either, and the other tags are', (t) => {
  const destination = tagged({ ...adopted, 'vaultferry:absent': 'x' });
  const source = present(at(3, 3));
  t.match(decide(look({ destination, source, tags: { version: '3', team: 'x' } })), {
    kind: 'put',
    tags: { set: { team: 'x' }, remove: ['vaultferry:absent'] },
  });
  t.strictSame(standing(look({ destination: copy({ tags: released }) })).code, 'released');
  t.strictSame(standing(look({ destination: tagged(released), source: absent('purged') })).state, 'absent');
  t.end();
});
