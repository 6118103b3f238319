import t from 'tap';
import { decide, isBehindCurrent, isBehindHint } from '../../src/replicate/decide.ts';
import type { DestinationState } from '../../src/replicate/destination.ts';
import type { SourceState } from '../../src/replicate/source.ts';
import { Sensitive } from '../../src/sensitive.ts';
import {
  absent,
  at,
  copy,
  DELETED,
  HAND,
  handEdited,
  idOf,
  lacking,
  look,
  moment,
  NOW,
  owner,
  present,
  staged,
  tagged,
} from './states.ts';

const SOURCES: readonly (readonly [string, SourceState])[] = [
  ['same', present(at(2, 2))],
  ['newer', present(at(3, 3))],
  ['older', present(at(1, 1))],
  ['same time, lower version', present(at(1, 2))],
  ['created anew, later', present(at(1, 3))],
  ['soft-deleted', absent('deleted', { latest: at(2, 2), deletionTime: DELETED })],
  ['destroyed', absent('destroyed', { latest: at(2, 2) })],
  ['purged', absent('purged')],
];

const mark = (at: string, why: string) => tagged({ 'vaultferry:absent': `2026-11-01T00:00:00Z ${at} ${why}` });
const COPIES: Readonly<Record<string, DestinationState | undefined>> = {
  none: undefined,
  ours: copy(),
  hand: handEdited,
  staged,
  'no value': copy({ stages: new Map() }),
  scheduled: copy({ scheduledForDeletion: true }),
  rotation: copy({ rotationEnabled: true }),
  service: copy({ owningService: 'rds' }),
  untagged: copy({ tags: {} }),
  'no vault': lacking('vaultferry:vault'),
  'other vault': tagged({ 'vaultferry:vault': 'staging' }),
  'other ref': tagged({ 'vaultferry:source': 'kv/app/db2' }),
  'other route': tagged({ 'vaultferry:route': 'other' }),
  'no route': lacking('vaultferry:route'),
  'other mount': tagged({ 'vaultferry:mount': 'kv_99999999 v2' }),
  'mount was v1': tagged({ 'vaultferry:mount': 'kv_12ab34cd v1' }),
  'foreign, rotated': { ...tagged({ 'vaultferry:vault': 'x' }), rotationEnabled: true, scheduledForDeletion: true },
  'marked deleted': mark(idOf(2, 2), DELETED),
  'marked destroyed': mark(idOf(2, 2), 'destroyed'),
  'marked purged': mark(idOf(2, 2), 'purged'),
  'marked elsewhere': mark(idOf(1, 1), DELETED),
  'marked nonsense': tagged({ 'vaultferry:absent': 'yes', version: '1' }),
  'other version': tagged({ version: '1' }),
  'no version': lacking('version'),
};

/**
 * What each state of the copy and of the source lead to, without a hint and without belief in old answers; then two
 * columns for what changes it:
 * - `believed`: what an older answer (older, lower) leads to once it is believed;
 * - `unseen`: what an absence leads to that lies before an event's version.
 */
const TABLE = `
  copy             | same     newer    older    lower    anew     deleted  destroyed purged  | believed unseen
  none             | create   create   create   create   create   keep     keep     keep     | create   hold
  ours             | keep     put      hold     hold     put      mark     mark     mark     | put      hold
  hand             | promote  put      put      put      put      mark     mark     mark     | put      hold
  staged           | keep     promote  hold     hold     put      mark     mark     mark     | put      hold
  no value         | put      put      put      put      put      mark     mark     mark     | put      hold
  scheduled        | restore  restore  hold     hold     restore  keep     keep     keep     | restore  hold
  rotation         | rotated  rotated  rotated  rotated  rotated  rotated  rotated  rotated  | rotated  rotated
  service          | rotated  rotated  rotated  rotated  rotated  rotated  rotated  rotated  | rotated  rotated
  untagged         | foreign  foreign  foreign  foreign  foreign  keep     keep     keep     | foreign  keep
  no vault         | foreign  foreign  foreign  foreign  foreign  keep     keep     keep     | foreign  keep
  other vault      | foreign  foreign  foreign  foreign  foreign  keep     keep     keep     | foreign  keep
  other ref        | foreign  foreign  foreign  foreign  foreign  keep     keep     keep     | foreign  keep
  other route      | foreign  foreign  foreign  foreign  foreign  foreign  foreign  foreign  | foreign  foreign
  no route         | foreign  foreign  foreign  foreign  foreign  foreign  foreign  foreign  | foreign  foreign
  other mount      | foreign  foreign  foreign  foreign  foreign  foreign  foreign  foreign  | foreign  foreign
  mount was v1     | foreign  foreign  foreign  foreign  foreign  foreign  foreign  foreign  | foreign  foreign
  foreign, rotated | foreign  foreign  foreign  foreign  foreign  keep     keep     keep     | foreign  keep
  marked deleted   | unmark   put      hold     hold     put      keep     mark     mark     | put      hold
  marked destroyed | unmark   put      hold     hold     put      mark     keep     mark     | put      hold
  marked purged    | unmark   put      hold     hold     put      mark     mark     keep     | put      hold
  marked elsewhere | unmark   put      hold     hold     put      mark     mark     mark     | put      hold
  marked nonsense  | unmark   put      hold     hold     put      mark     mark     mark     | put      hold
  other version    | retag    put      hold     hold     put      mark     mark     mark     | put      hold
  no version       | retag    put      hold     hold     put      mark     mark     mark     | put      hold
`;

interface Row {
  readonly name: string;
  readonly cells: readonly string[];
  readonly believed: string;
  readonly unseen: string;
}
const words = (text = ''): string[] => text.trim().split(/ +/);
const ROWS: readonly Row[] = TABLE.trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [name = '', cells, changes] = line.split('|');
    const [believed = '', unseen = ''] = words(changes);
    return { name: name.trim(), cells: words(cells), believed, unseen };
  });

/** The hints, and from which column on an absence lies before them; a purge names no version and so lies before any. */
const HINTS = { none: [undefined, 8], equal: [moment(2, 2), 7], newer: [moment(9, 9), 5] } as const;
const OLD_ANSWERS = [2, 3];
const CODES: Readonly<Record<string, string>> = {
  rotated: 'refuse rotation_enabled',
  foreign: 'refuse not_owned',
  hold: 'hold source_stale',
};

function expected({ cells, believed, unseen }: Row, column: number, absentFrom: number, acceptStale: boolean): string {
  const cell = cells[column] ?? '';
  const word = acceptStale ? (OLD_ANSWERS.includes(column) ? believed : cell) : column >= absentFrom ? unseen : cell;
  return CODES[word] ?? word;
}

t.test('every state of the copy has its row', async (t) => {
  t.same(
    ROWS.map(({ name }) => name),
    Object.keys(COPIES),
  );
  t.ok(ROWS.every(({ cells }) => cells.length === SOURCES.length));
});

for (const row of ROWS) {
  t.test(`a copy: ${row.name}`, async (t) => {
    for (const [hintName, [hint, absentFrom]] of Object.entries(HINTS)) {
      for (const [column, [sourceName, source]] of SOURCES.entries()) {
        for (const acceptStale of [false, true]) {
          const action = decide(look({ source, destination: COPIES[row.name], hint, acceptStale }));
          const actual = 'code' in action ? `${action.kind} ${action.code}` : action.kind;
          const title = `${sourceName}, hint ${hintName}, ${acceptStale ? 'believed' : 'not believed'}`;
          t.equal(actual, expected(row, column, absentFrom, acceptStale), title);
        }
      }
    }
  });
}

t.test('create names the version', async (t) => {
  const source = present(at(3, 3));
  t.same(decide(look({ source, destination: undefined })), { kind: 'create', source, versionId: idOf(3, 3) });
});

t.test('a full destination takes no new copy, and keeps those that it has', async (t) => {
  const full = (more: Parameters<typeof look>[0]) => decide(look({ fullAt: 5, ...more }));
  t.match(full({ destination: undefined }), { kind: 'refuse', code: 'limit_reached', text: / the 5 that / });
  t.match(full({ destination: undefined, source: absent('purged') }), { kind: 'keep' });
  t.match(full({ source: present(at(3, 3)) }), { kind: 'put' });
  const value = new Sensitive('x'.repeat(65_537));
  t.match(full({ destination: undefined, source: { ...present(at(1, 1)), value } }), { code: 'value_too_large' });
});

t.test('put moves AWSCURRENT from where it was seen, and brings the tags after it', async (t) => {
  const source = present(at(3, 3));
  const tags = { version: '3', team: 'x' };
  t.same(decide(look({ source, tags })), {
    kind: 'put',
    source,
    versionId: idOf(3, 3),
    from: idOf(2, 2),
    tags: { set: tags, remove: [] },
  });
  const marked = decide(look({ source, tags: {}, destination: tagged({ 'vaultferry:absent': 'x' }) }));
  t.match(marked, { kind: 'put', tags: { set: {}, remove: ['vaultferry:absent'] } });
  t.match(decide(look({ source, destination: copy({ stages: new Map() }) })), { kind: 'put', from: undefined });
  t.match(decide(look({ source, destination: handEdited })), { kind: 'put', from: HAND });
});

t.test('promote takes a version that already stands under any label', async (t) => {
  t.same(decide(look({ destination: handEdited })), {
    kind: 'promote',
    versionId: idOf(2, 2),
    from: HAND,
    tags: { set: {}, remove: [] },
  });
  t.match(decide(look({ source: present(at(3, 3)), destination: staged })), {
    versionId: idOf(3, 3),
    from: idOf(2, 2),
  });
});

t.test('a mark says when, at which id, and why', async (t) => {
  const marked = (source: SourceState, destination = copy()) => {
    const action = decide(look({ source, destination }));
    return action.kind === 'mark' ? action.tags : action;
  };
  const set = (why: string) => ({ set: { 'vaultferry:absent': `${NOW} ${why}` }, remove: [] });
  t.same(marked(absent('deleted', { deletionTime: DELETED })), set(`${idOf(2, 2)} ${DELETED}`));
  t.same(marked(absent('deleted')), set(`${idOf(2, 2)} deleted`));
  t.same(marked(absent('destroyed', { deletionTime: DELETED })), set(`${idOf(2, 2)} destroyed`));
  t.same(marked(absent('purged')), set(`${idOf(2, 2)} purged`));
  t.same(marked(absent('purged'), copy({ stages: new Map() })), set('- purged'));
});

t.test('unmark and retag touch only what differs', async (t) => {
  const marked = tagged({ 'vaultferry:absent': 'x', version: '1', team: 'kept', other: 'theirs' });
  t.same(decide(look({ destination: marked, tags: { version: '2', team: 'kept' } })), {
    kind: 'unmark',
    tags: { set: { version: '2' }, remove: ['vaultferry:absent'] },
  });
  t.same(decide(look({ destination: tagged({ version: '1' }) })), {
    kind: 'retag',
    tags: { set: { version: '2' }, remove: [] },
  });
});

t.test('a deleted version that is older than the copy is an old answer', async (t) => {
  const source = absent('deleted', { latest: at(1, 1), deletionTime: DELETED });
  t.match(decide(look({ source })), { kind: 'hold', code: 'source_stale' });
  t.equal(decide(look({ source, acceptStale: true })).kind, 'mark');
  t.equal(decide(look({ source: absent('deleted', { latest: at(3, 3) }) })).kind, 'mark');
});

t.test('an old absence that was believed once is kept, since a restored snapshot stays older than the copy', (t) => {
  const source = absent('deleted', { latest: at(1, 1), deletionTime: DELETED });
  const fits = copy({ tags: { ...copy().tags, 'vaultferry:absent': `2026-11-01T00:00:00Z ${idOf(2, 2)} ${DELETED}` } });
  t.same(decide(look({ source, destination: fits })), { kind: 'keep' });
  t.same(decide(look({ source, destination: copy({ scheduledForDeletion: true }) })), { kind: 'keep' });
  const other = copy({ tags: { ...copy().tags, 'vaultferry:absent': `2026-11-01T00:00:00Z ${idOf(2, 2)} purged` } });
  t.match(decide(look({ source, destination: other })), { kind: 'hold', code: 'source_stale' });
  t.match(decide(look({ source, destination: fits, hint: moment(3, 3) })), { kind: 'hold', code: 'source_stale' });
  t.end();
});

t.test('the value is measured in bytes of UTF-8, and only where it would be sent', async (t) => {
  const sized = (value: string, version = at(3, 3)) => ({ ...present(version), value: new Sensitive(value) });
  const fits = sized(`${'é'.repeat(32_767)}xx`);
  const large = sized(`${'é'.repeat(32_768)}x`);
  t.equal(decide(look({ source: fits })).kind, 'put');
  t.equal(decide(look({ source: fits, destination: undefined })).kind, 'create');
  for (const destination of [copy(), undefined]) {
    const action = decide(look({ source: large, destination }));
    t.match(action, { kind: 'refuse', code: 'value_too_large' });
    t.match(action, { text: /^the value of kv\/app\/db has 65537 bytes; Secrets Manager allows 65536/ });
    t.notOk(JSON.stringify(action).includes('é'), 'the value is not quoted');
  }
  t.equal(decide(look({ source: large, destination: staged })).kind, 'promote', 'it is there already');
  t.equal(decide(look({ source: sized('x'.repeat(65_537), at(2, 2)) })).kind, 'keep');
});

t.test('refusals name the secret, what is wrong, and the mend', async (t) => {
  const text = (destination: DestinationState, source: SourceState = present(at(2, 2))) => {
    const action = decide(look({ destination, source }));
    return action.kind === 'refuse' || action.kind === 'hold' ? action.text : action.kind;
  };
  t.match(
    text(tagged({ 'vaultferry:vault': 'x', 'vaultferry:route': 'y' })),
    /secret kv\/app\/db .*vaultferry:vault, vaultferry:route are missing or name another owner/,
  );
  t.match(text(copy({ rotationEnabled: true })), /^the secret kv\/app\/db has rotation enabled/);
  t.match(text(copy({ owningService: 'rds' })), /^the secret kv\/app\/db is managed by rds/);
  t.match(text(copy(), present(at(1, 1))), /^Vault answered for kv\/app\/db with an older version/);
});

t.test('behind AWSCURRENT', async (t) => {
  const old = present(at(1, 1));
  t.equal(isBehindCurrent(look({ source: old })), true);
  t.equal(isBehindCurrent(look()), false);
  t.equal(isBehindCurrent(look({ source: old, destination: undefined })), false);
  t.equal(isBehindCurrent(look({ source: old, destination: copy({ stages: new Map() }) })), false);
  t.equal(
    isBehindCurrent(look({ source: old, destination: handEdited })),
    false,
    'an id that is not ours names no moment',
  );
  t.equal(isBehindCurrent(look({ source: absent('purged') })), false);
  t.equal(isBehindCurrent(look({ source: present({ version: 1, createdTime: 'unreadable' }) })), false);
});

t.test('behind an event', async (t) => {
  t.equal(isBehindHint(look()), false);
  t.equal(isBehindHint(look({ hint: moment(2, 2) })), false);
  t.equal(isBehindHint(look({ hint: moment(1, 1) })), false);
  t.equal(isBehindHint(look({ hint: moment(3, 2) })), true, 'of one time, the higher version');
  t.equal(isBehindHint(look({ hint: moment(1, 3) })), true);
  t.equal(isBehindHint(look({ source: absent('purged'), hint: moment(1, 1) })), true);
  t.equal(isBehindHint(look({ source: absent('purged') })), false);
  t.equal(isBehindHint(look({ source: absent('purged'), hint: moment(1, 1), hintSuperseded: true })), false);
  t.equal(isBehindHint(look({ source: present(at(1, 1)), hint: moment(2, 2), hintSuperseded: true })), true);
  t.equal(isBehindHint(look({ source: absent('deleted', { latest: at(3, 3) }), hint: moment(3, 3) })), false);
});

t.test('the owner of the look decides what is ours', async (t) => {
  const other = { ...owner, mount: { ...owner.mount, accessor: 'kv_anew' } };
  t.match(decide(look({ owner: other })), { kind: 'refuse', code: 'not_owned' });
});
