import { inspect } from 'node:util';
import t from 'tap';
import { type FailureCode, ReplicationError, toReplicationError } from '../src/errors.ts';

t.test('every code has its treatment', async (t) => {
  const table: Readonly<Record<FailureCode, string>> = {
    source_unavailable: 'pausing',
    source_stale: 'hold',
    source_forbidden: 'permanent',
    mount_version_mismatch: 'permanent',
    queue_unavailable: 'pausing',
    destination_unavailable: 'pausing',
    destination_throttled: 'hold',
    destination_forbidden: 'permanent',
    destination_rejected: 'permanent',
    version_budget: 'hold',
    promotion_conflict: 'retryable',
    version_id_taken: 'permanent',
    not_owned: 'permanent',
    released: 'permanent',
    name_invalid: 'permanent',
    value_too_large: 'permanent',
    value_unrepresentable: 'permanent',
    rotation_enabled: 'permanent',
    limit_reached: 'permanent',
    unrouted: 'permanent',
    message_malformed: 'permanent',
    internal: 'retryable',
  };
  for (const [code, treatment] of Object.entries(table)) {
    t.equal(new ReplicationError(code as FailureCode, 'text').treatment, treatment, code);
  }
});

t.test('an error says its code, its text and its cause', async (t) => {
  const cause = new Error('below');
  const error = new ReplicationError('not_owned', 'what to do', cause);
  t.match(error, { name: 'ReplicationError', code: 'not_owned', message: 'what to do' });
  t.equal(error.cause, cause);
  t.ok(error instanceof Error);
  t.notOk('cause' in new ReplicationError('not_owned', 'no cause'));
});

t.test('what is thrown by others becomes an error of ours that quotes nothing', async (t) => {
  const own = new ReplicationError('not_owned', 'text');
  t.equal(toReplicationError(own), own);
  t.match(toReplicationError(new TypeError('CANARY')), { code: 'internal', message: /^an unexpected TypeError: / });
  for (const thrown of [new TypeError('CANARY'), 'CANARY', { CANARY: 1 }, undefined, null]) {
    const error = toReplicationError(thrown);
    t.equal(error.code, 'internal');
    t.notOk(inspect(error, { showHidden: true }).split('at ')[0]?.includes('CANARY'));
    t.equal(error.cause, undefined);
  }
});
