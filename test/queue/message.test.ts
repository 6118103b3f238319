import { inspect } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import {
  auditDeduplicationId,
  type ChangeMessage,
  encodeMessage,
  findingDeduplicationId,
  type Message,
  parkingDeduplicationId,
  parseMessage,
  type SweepMessage,
  sweepGroup,
} from '../../src/queue/message.ts';

const change: ChangeMessage = {
  v: 1,
  kind: 'change',
  vault: 'prod',
  namespace: '',
  mount: 'kv',
  path: 'app/db',
  route: 'all',
  destination: 'eu',
  origin: 'audit',
};
const hints = {
  kv: 2,
  version: 3,
  createdTime: '2026-11-24T21:40:57Z',
  auditTime: '2026-11-24T21:40:58Z',
  requestId: 'r-1',
  sweepId: 's-1',
} as const;
const sweep: SweepMessage = { v: 1, kind: 'sweep', vault: 'prod', origin: 'timer' };
const parse = (value: unknown) => parseMessage(JSON.stringify(value), 'prod');

/** What every body must be refused with: a code that parks, and no word of the body. */
function refused(t: Test, body: string, name: string) {
  try {
    parseMessage(body, 'prod');
    t.fail(`${name}: accepted`);
  } catch (error) {
    t.ok(error instanceof ReplicationError && error.code === 'message_malformed', name);
    t.notOk(inspect(error).includes('CANARY'), `${name}: quotes the body`);
  }
}

const text = fc.string({ unit: 'binary' });
const some = fc.string({ unit: 'binary', minLength: 1 });
const changes: fc.Arbitrary<ChangeMessage> = fc.record(
  {
    v: fc.constant(1 as const),
    kind: fc.constant('change' as const),
    vault: fc.constant('prod'),
    namespace: text,
    mount: some,
    path: some,
    route: text,
    destination: text,
    origin: fc.constantFrom('audit' as const, 'sweep' as const, 'operator' as const),
    kv: fc.constantFrom(1 as const, 2 as const),
    version: fc.integer({ min: 1 }),
    createdTime: text,
    auditTime: text,
    requestId: text,
    sweepId: text,
  },
  { requiredKeys: ['v', 'kind', 'vault', 'namespace', 'mount', 'path', 'route', 'destination', 'origin'] },
);
const sweeps: fc.Arbitrary<SweepMessage> = fc.record(
  {
    v: fc.constant(1 as const),
    kind: fc.constant('sweep' as const),
    vault: fc.constant('prod'),
    origin: fc.constantFrom('timer' as const, 'gap' as const, 'operator' as const),
    reason: text,
    approve: fc.array(fc.record({ ref: text, versionId: text, mark: text })),
  },
  { requiredKeys: ['v', 'kind', 'vault', 'origin'] },
);

t.test('what was encoded is read again, whatever its texts', async () => {
  fc.assert(
    fc.property(fc.oneof(changes, sweeps), (message: Message) => {
      const again = parseMessage(encodeMessage(message), 'prod');
      return JSON.stringify(again) === JSON.stringify(message);
    }),
  );
});

t.test('a body holds only characters that SQS takes', async (t) => {
  fc.assert(
    fc.property(changes, (message) =>
      /^[\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u.test(encodeMessage(message)),
    ),
  );
  const body = encodeMessage({ ...change, path: '\uFFFE\uFFFF\n\uD800😀' });
  t.ok(body.includes('"\\uFFFE\\uFFFF\\n\\ud800😀"'), body);
});

t.test('every hint, and none', async (t) => {
  t.same(parse(change), change);
  t.same(parse({ ...change, ...hints }), { ...change, ...hints });
  t.same(parse(sweep), sweep);
  const approve = [{ ref: 'kv/a', versionId: 'v1', mark: 'm' }];
  t.same(parse({ ...sweep, reason: 'why', approve }), { ...sweep, reason: 'why', approve });
});

t.test('unknown extra fields pass, so that old and new run side by side', async (t) => {
  t.match(parse({ ...change, later: { deep: [1] } }), change);
  t.match(parse({ ...sweep, later: true, approve: [{ ref: '', versionId: '', mark: '', later: 1 }] }), sweep);
});

t.test('a missing field is malformed', async (t) => {
  for (const message of [change, sweep]) {
    for (const key of Object.keys(message)) {
      const { [key as 'v']: _, ...rest } = message;
      refused(t, JSON.stringify({ ...rest, secret: 'CANARY' }), `${message.kind} without ${key}`);
    }
  }
  for (const key of ['ref', 'versionId', 'mark']) {
    const { [key as 'ref']: _, ...rest } = { ref: 'CANARY', versionId: 'CANARY', mark: 'CANARY' };
    refused(t, JSON.stringify({ ...sweep, approve: [rest] }), `approval without ${key}`);
  }
});

t.test('an ill-typed field is malformed', async (t) => {
  for (const key of [...Object.keys(change), ...Object.keys(hints)]) {
    for (const value of [null, ['CANARY'], { CANARY: 1 }, true]) {
      refused(t, JSON.stringify({ ...change, [key]: value }), `change ${key} ${JSON.stringify(value)}`);
    }
  }
  for (const key of [...Object.keys(sweep), 'reason', 'approve']) {
    for (const value of [null, 'CANARY', ['CANARY'], 7]) {
      const wellTyped = value === 'CANARY' && key === 'reason';
      if (!wellTyped) refused(t, JSON.stringify({ ...sweep, [key]: value }), `sweep ${key} ${JSON.stringify(value)}`);
    }
  }
});

t.test('a value out of its range is malformed', async (t) => {
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    v: [0, 2, '1'],
    kind: ['delete', 'sweep'],
    mount: [''],
    path: [''],
    origin: ['timer', 'gap', ''],
    kv: [0, 3, '2'],
    version: [0, -1, 1.5, '3'],
  };
  for (const [key, values] of Object.entries(wrong)) {
    for (const value of values)
      refused(t, JSON.stringify({ ...change, [key]: value }), `${key} ${JSON.stringify(value)}`);
  }
  refused(t, JSON.stringify({ ...sweep, origin: 'audit' }), 'a sweep from the audit log');
});

t.test('what is no object of ours is malformed', async (t) => {
  for (const body of ['', 'CANARY', '{"CANARY":', '"CANARY"', 'null', '[]', '[1]', '1', '{}', '{"CANARY":1}']) {
    refused(t, body, JSON.stringify(body));
  }
});

t.test("another vault's message is malformed", async (t) => {
  for (const message of [change, sweep]) {
    refused(t, JSON.stringify({ ...message, vault: 'CANARY' }), message.kind);
    t.throws(() => parse({ ...message, vault: 'staging' }), { message: /not for this Vault \("prod"\)/ });
  }
});

t.test('the publisher is held to the same shape', async (t) => {
  t.throws(() => encodeMessage({ ...change, path: '' }), { code: 'message_malformed' });
  t.throws(() => encodeMessage({ ...change, version: 0 }), { code: 'message_malformed' });
});

t.test('one audit entry is one message, two writes are never merged', async (t) => {
  const id = auditDeduplicationId('group', 'request');
  t.match(id, /^[0-9a-f]{64}$/);
  t.equal(auditDeduplicationId('group', 'request'), id, 'the same entry through two devices');
  t.not(auditDeduplicationId('group', 'request2'), id);
  t.not(auditDeduplicationId('group2', 'request'), id);
  t.not(auditDeduplicationId('groupr', 'equest'), id);
  t.not(findingDeduplicationId('group', 'request'), id, 'a finding is no audit entry');
});

t.test('a finding is told once per sweep', async (t) => {
  t.equal(findingDeduplicationId('group', 'sweep'), findingDeduplicationId('group', 'sweep'));
  t.not(findingDeduplicationId('group', 'sweep'), findingDeduplicationId('group', 'sweep2'));
  t.not(findingDeduplicationId('group', 'sweep'), findingDeduplicationId('group2', 'sweep'));
});

t.test('each parking has its own id, and its retry the same', async (t) => {
  t.equal(parkingDeduplicationId('id', 3), parkingDeduplicationId('id', 3));
  t.not(parkingDeduplicationId('id', 3), parkingDeduplicationId('id', 4));
  t.not(parkingDeduplicationId('id', 3), parkingDeduplicationId('id2', 3));
  t.match(parkingDeduplicationId('id', 3), /^[0-9a-f]{64}$/);
});

t.test("one vault's sweeps are one group", async (t) => {
  t.equal(sweepGroup('prod'), 'sweep-prod');
});
