import t from 'tap';
import { type Action, decide } from '../../src/replicate/decide.ts';
import { lookAtBoth } from '../../src/replicate/look-at.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createSource } from '../../src/vault/source.ts';
import { mountBody, noSuchSecret, type Reply, type VersionTexts, valueBody } from '../fakes/vault-http.ts';
import { at, copy, DELETED, FRESH, idOf, moment, NOW, owner, tagged } from './states.ts';

// Every state that a secret can have in Vault, as Vault's own answers tell it, against a copy that stands at version 2.

const VALUE = '/kv/data/app/db';
const VALUE_V1 = '/kv/app/db';
const ENTRY = '/sys/internal/ui/mounts/kv';

const ours: Reply = { body: mountBody('kv', 'kv_12ab34cd') };
const otherV2: Reply = { body: mountBody('kv', 'kv_99999999') };
const otherV1: Reply = { body: mountBody('kv', 'kv_99999999', 'kv', '{"version":"1"}') };
const upgraded: Reply = { body: mountBody('kv', 'kv_12ab34cd', 'kv', '{"version":"1"}') };
const hidden: Reply = {
  status: 403,
  body: '{"errors":["preflight capability check returned 403, please ensure client\'s policies grant access to path \\"kv/\\""]}',
};
const noMount: Reply = {
  status: 404,
  body: '{"errors":["no handler for route \\"kv/data/app/db\\". route entry not found."]}',
};
const denied: Reply = { status: 403, body: '{"errors":["1 error occurred:\\n\\t* permission denied\\n\\n"]}' };
const sealed: Reply = { status: 503, body: '{"errors":["Vault is sealed"]}' };
const v1 = (value: string): Reply => ({
  body: `{"request_id":"r","lease_duration":2764800,"data":${value},"wrap_info":null}`,
});

const [FIRST, SECOND, THIRD] = [at(1, 1), at(2, 2), at(3, 3)];
/** The value that version 2's copy stands for. */
const text = (of: string) => JSON.stringify({ of });
const served = (version: VersionTexts, value = text('x')): Reply => ({
  body: valueBody(value, version),
});
const withheld = (version: VersionTexts, more: VersionTexts): Reply => ({
  status: 404,
  body: valueBody('null', { ...version, ...more }),
});

const deleted = withheld(SECOND, { deletionTime: DELETED });
const markedAs = (why: string) => tagged({ 'vaultferry:absent': `2026-11-24T21:55:00.000Z ${idOf(2, 2)} ${why}` });
const mark = (why: string) => ({
  kind: 'mark',
  tags: { set: { 'vaultferry:absent': `${NOW} ${idOf(2, 2)} ${why}` } },
});
interface State {
  /** Vault's answers by path, one after another; the last stays. */
  readonly answers: Readonly<Record<string, Reply | readonly Reply[]>>;
  readonly seen?: ReturnType<typeof copy> | undefined;
  /** The text at AWSCURRENT, for KV v1. */
  readonly value?: string;
  /** The newest version that an event told of. */
  readonly hint?: ReturnType<typeof moment>;
  /** The event after it was a purge. */
  readonly purged?: true;
  /** Older answers than were seen before have stood for two minutes. */
  readonly believed?: true;
  /** The action, or the error's code. */
  readonly wanted: string | object;
}

const v2 = (value: Reply | readonly Reply[], entry: Reply | readonly Reply[] = ours) => ({
  [VALUE]: value,
  [ENTRY]: entry,
});

const STATES: Readonly<Record<string, State>> = {
  'present, the same version': { answers: v2(served(SECOND)), wanted: { kind: 'keep' } },
  'present, a new version': { answers: v2(served(THIRD)), wanted: { kind: 'put', versionId: idOf(3, 3) } },
  'present, no copy': { answers: v2(served(SECOND)), seen: undefined, wanted: { kind: 'create' } },
  'soft-deleted': { answers: v2(deleted), wanted: mark(DELETED) },
  'soft-deleted, and marked so': { answers: v2(deleted), seen: markedAs(DELETED), wanted: { kind: 'keep' } },
  'soft-deleted once more': { answers: v2(deleted), seen: markedAs('2026-11-24T21:40:00Z'), wanted: mark(DELETED) },
  'latest destroyed, older versions live: no fallback to them': {
    answers: v2(withheld(SECOND, { destroyed: true })),
    wanted: mark('destroyed'),
  },
  'a new latest destroyed that never was copied': {
    answers: v2(withheld(THIRD, { destroyed: true })),
    wanted: mark('destroyed'),
  },
  purged: { answers: v2(noSuchSecret), wanted: mark('purged') },
  'purged, and the event told so': {
    answers: v2(noSuchSecret),
    hint: moment(2, 2),
    purged: true,
    wanted: mark('purged'),
  },
  'purged, no copy': { answers: v2(noSuchSecret), seen: undefined, wanted: { kind: 'keep' } },
  'purged and re-created at the same number': {
    answers: v2(served(at(2, 5))),
    wanted: { kind: 'put', versionId: idOf(2, 5), from: idOf(2, 2) },
  },
  'purged and re-created at a lower number': {
    answers: v2(served(at(1, 5))),
    wanted: { kind: 'put', versionId: idOf(1, 5) },
  },
  'purged, re-created, and deleted again': {
    answers: v2(withheld(at(1, 5), { deletionTime: DELETED })),
    wanted: mark(DELETED),
  },
  'rolled back: an old value as a new version': {
    answers: v2(served(THIRD, text('first'))),
    wanted: { kind: 'put', versionId: idOf(3, 3) },
  },
  undeleted: {
    answers: v2(served(SECOND)),
    seen: markedAs(DELETED),
    wanted: { kind: 'unmark', tags: { remove: ['vaultferry:absent'] } },
  },
  patched: { answers: v2(served(THIRD, '{"of":"x","more":1}')), wanted: { kind: 'put', versionId: idOf(3, 3) } },
  'check-and-set failed, or only metadata changed': { answers: v2(served(SECOND)), wanted: { kind: 'keep' } },
  'an empty object': { answers: v2(served(THIRD, '{}')), wanted: { kind: 'put', versionId: idOf(3, 3) } },
  'null instead of an object': { answers: v2(served(THIRD, 'null')), wanted: 'value_unrepresentable' },
  'expires later (delete_version_after)': {
    answers: v2(served({ ...SECOND, deletionTime: '2026-11-24T22:00:01Z' })),
    wanted: { kind: 'keep' },
  },
  'expired, still served by a clock that is behind': {
    answers: v2({ body: valueBody('{}', { ...SECOND, deletionTime: '2026-11-24T21:59:59Z' }) }),
    wanted: mark('2026-11-24T21:59:59Z'),
  },
  'expired, withheld by a clock that is ahead': {
    answers: v2(withheld(SECOND, { deletionTime: '2026-11-24T22:00:01Z' })),
    wanted: mark('2026-11-24T22:00:01Z'),
  },
  'KV v1, equal': {
    answers: { [VALUE_V1]: v1('{"a":1}'), [ENTRY]: upgraded },
    ...seenV1('{"a":1}'),
    wanted: { kind: 'keep' },
  },
  'KV v1, changed': {
    answers: { [VALUE_V1]: v1('{"a":2}'), [ENTRY]: upgraded },
    ...seenV1('{"a":1}'),
    wanted: { kind: 'put', versionId: `k1-20261124T220000000000000Z-${FRESH}` },
  },
  'KV v1, absent': {
    answers: { [VALUE_V1]: noSuchSecret, [ENTRY]: upgraded },
    ...seenV1('{"a":1}'),
    wanted: mark('purged'),
  },
  'KV v1, being upgraded': {
    answers: {
      [VALUE_V1]: { status: 400, body: '{"errors":["Upgrading from non-versioned to versioned data."]}' },
      [ENTRY]: upgraded,
    },
    ...seenV1('{"a":1}'),
    wanted: 'source_unavailable',
  },
  'KV v1, upgraded': {
    answers: v2(served(FIRST)),
    ...seenV1('{"a":1}'),
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'KV v1, upgraded, then purged': {
    answers: v2(noSuchSecret),
    ...seenV1('{}'),
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'mount gone': { answers: v2(noMount, hidden), wanted: 'source_unavailable' },
  'mount gone, the value asked for just before': { answers: v2(served(SECOND), hidden), wanted: 'source_unavailable' },
  'mount gone after an answer that looks like a purge': {
    answers: v2(noSuchSecret, [ours, hidden]),
    wanted: 'source_unavailable',
  },
  'mount re-enabled as v2, empty': {
    answers: v2(noSuchSecret, otherV2),
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'mount re-enabled as v2 between the two answers': {
    answers: v2(noSuchSecret, [ours, otherV2]),
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'mount re-enabled as v2, the secret written anew': {
    answers: v2(served(at(1, 5)), otherV2),
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'mount re-enabled as v1, empty: its 404 is that of a purge': {
    answers: { ...v2(noSuchSecret, otherV1), [VALUE_V1]: noSuchSecret },
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'mount re-enabled as v1 between the two answers': {
    answers: { ...v2(noSuchSecret, [ours, otherV1]), [VALUE_V1]: noSuchSecret },
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'mount re-enabled as v1, the secret written anew': {
    answers: { ...v2(noSuchSecret, otherV1), [VALUE_V1]: v1('{"a":1}') },
    wanted: { kind: 'refuse', code: 'not_owned' },
  },
  'mount re-enabled as another type': {
    answers: v2(noMount, { body: mountBody('kv', 'transit_1', 'transit', 'null') }),
    wanted: 'mount_version_mismatch',
  },
  'namespace gone': { answers: v2(noMount, noMount), wanted: 'source_unavailable' },
  'namespace gone, as who has no policy sees it': { answers: v2(denied, hidden), wanted: 'source_forbidden' },
  'forbidden (403)': { answers: v2(denied), wanted: 'source_forbidden' },
  sealed: { answers: v2(sealed, sealed), wanted: 'source_unavailable' },
  'sealed between the two answers': { answers: v2(noSuchSecret, [ours, sealed]), wanted: 'source_unavailable' },
  'a stale standby: an older version than AWSCURRENT': {
    answers: v2(served(FIRST)),
    wanted: { kind: 'hold', code: 'source_stale' },
  },
  'a stale standby: an older deletion': {
    answers: v2(withheld(FIRST, { deletionTime: DELETED })),
    wanted: { kind: 'hold', code: 'source_stale' },
  },
  'a stale standby: not there yet, which an event told of': {
    answers: v2(noSuchSecret),
    hint: moment(3, 3),
    wanted: { kind: 'hold', code: 'source_stale' },
  },
  'a stale standby: of the same time, by a lower number': {
    answers: v2(served({ ...SECOND, version: 1 })),
    wanted: { kind: 'hold', code: 'source_stale' },
  },
  'a lagging standby: news, though not the newest': {
    answers: v2(served(THIRD)),
    hint: moment(4, 4),
    wanted: { kind: 'put', versionId: idOf(3, 3) },
  },
  'restored from an older snapshot': {
    answers: v2(served(FIRST)),
    believed: true,
    wanted: { kind: 'put', versionId: idOf(1, 1) },
  },
  'restored from a snapshot in which it was deleted': {
    answers: v2(withheld(FIRST, { deletionTime: DELETED })),
    believed: true,
    wanted: mark(DELETED),
  },
  'restored from a snapshot without it': {
    answers: v2(noSuchSecret),
    hint: moment(2, 2),
    believed: true,
    wanted: mark('purged'),
  },
  'restored, and written since': { answers: v2(served(at(2, 5))), wanted: { kind: 'put', versionId: idOf(2, 5) } },
};

/** A copy of the mount while it was of version 1. */
function seenV1(value: string): Pick<State, 'seen' | 'value'> {
  return { seen: tagged({ 'vaultferry:mount': 'kv_12ab34cd v1' }), value };
}

/** What is done about one state, or the code of what was thrown. */
async function outcome(state: State): Promise<Action | string> {
  const left = new Map(Object.entries(state.answers).map(([path, replies]) => [path, [replies].flat()]));
  const next = (path: string): Reply => {
    const replies = left.get(path) ?? [noMount];
    return (replies.length > 1 ? replies.shift() : replies[0]) ?? noMount;
  };
  const get = async (_: string, path: string) => {
    const { status = 200, body = '' } = next(path);
    return { status, text: new Sensitive(String(body)) };
  };
  const reader = { get, as: () => get('', ''), checkToken: async () => undefined };
  const destination = {
    describe: async () => ('seen' in state ? state.seen : copy()),
    value: async () => (state.value === undefined ? undefined : new Sensitive(state.value)),
  };
  const ports = {
    source: createSource(reader, () => Date.parse(NOW)),
    destination,
    clock: { now: () => Date.parse(NOW) },
    ...{ vault: 'prod', tags: {}, versionTag: true, fresh: () => FRESH },
  };
  const order = {
    ref: owner.ref,
    route: 'all',
    secretName: 'kv/app/db',
    hint: state.hint,
    hintSuperseded: state.purged ?? false,
  };
  try {
    return decide({ ...(await lookAtBoth(ports, order)), acceptStale: state.believed ?? false });
  } catch (error) {
    return (error as { code: string }).code;
  }
}

for (const [title, state] of Object.entries(STATES)) {
  t.test(title, async (t) => {
    const done = await outcome(state);
    if (typeof state.wanted === 'string') t.equal(done, state.wanted);
    else t.match(done, state.wanted);
  });
}
