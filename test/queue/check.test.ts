import t from 'tap';
import { checkQueues, type QueueAttributes } from '../../src/queue/check.ts';

const ARN = 'arn:aws:sqs:eu-central-1:111122223333:vaultferry-dlq.fifo';
const SETTINGS = { maxReceives: 10, visibility: 30_000 };

/** As the demo creates them: all that the worker needs, unencrypted, since the emulator does not encrypt. */
const plain = {
  FifoQueue: 'true',
  MessageRetentionPeriod: '1209600',
  VisibilityTimeout: '30',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
};
const redrive = (deadLetterTargetArn: unknown, maxReceiveCount: unknown) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }),
});
const queue = { ...plain, SqsManagedSseEnabled: 'true', ...redrive(ARN, 100) };
const deadLetters = { ...plain, SqsManagedSseEnabled: 'true', QueueArn: ARN };
const without = (attributes: QueueAttributes, key: string): QueueAttributes => {
  const { [key]: _, ...rest } = attributes;
  return rest;
};
const check = (changed: QueueAttributes = {}, changedLetters: QueueAttributes = {}) =>
  checkQueues({ ...queue, ...changed }, { ...deadLetters, ...changedLetters }, SETTINGS);

t.test('queues as they should be raise nothing', async (t) => {
  t.same(check(), { errors: [], warnings: [] });
  t.same(check({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: ARN, maxReceiveCount: '100' }) }), {
    errors: [],
    warnings: [],
  });
});

t.test("the demo's queues are only unencrypted", async (t) => {
  const { errors, warnings } = checkQueues({ ...plain, ...redrive(ARN, 100) }, { ...plain, QueueArn: ARN }, SETTINGS);
  t.same(errors, []);
  t.equal(warnings.length, 2);
  t.match(warnings, [/^queue\.url is not encrypted/, /^queue\.deadLetterUrl is not encrypted/]);
});

t.test('what the worker cannot live with', async (t) => {
  const noRedrive = /^queue\.url has no RedrivePolicy to queue\.deadLetterUrl/;
  const table: readonly [string, QueueAttributes, QueueAttributes, RegExp][] = [
    ['a standard queue', { FifoQueue: 'false' }, {}, /^queue\.url is not a FIFO queue/],
    ['standard letters', {}, { FifoQueue: '' }, /^queue\.deadLetterUrl is not a FIFO queue/],
    ['redrive elsewhere', redrive(`${ARN}x`, 100), {}, noRedrive],
    ['redrive to nothing', { RedrivePolicy: '{"maxReceiveCount":100}' }, {}, noRedrive],
    ['a policy that is no JSON', { RedrivePolicy: '{' }, {}, noRedrive],
    ['a policy that is null', { RedrivePolicy: 'null' }, {}, noRedrive],
    ['as few receives', redrive(ARN, 10), {}, /maxReceiveCount is not above queue\.maxReceives \(10\).*set it to 100/],
    ['receives that are no number', redrive(ARN, 'many'), {}, /maxReceiveCount is not above/],
    ['receives unsaid', redrive(ARN, undefined), {}, /maxReceiveCount is not above/],
  ];
  for (const [name, changed, letters, error] of table) {
    const { errors } = check(changed, letters);
    t.equal(errors.length, 1, name);
    t.match(errors[0], error, name);
  }
  t.same(check(redrive(ARN, 11)).errors, [], 'one above is enough');
  t.match(checkQueues(without(queue, 'RedrivePolicy'), deadLetters, SETTINGS).errors, [noRedrive]);
  t.equal(checkQueues({}, {}, SETTINGS).errors.length, 3);
});

t.test('what the worker can live with', async (t) => {
  const table: readonly [string, QueueAttributes, QueueAttributes, RegExp][] = [
    ['few receives', redrive(ARN, 99), {}, /maxReceiveCount should be 100/],
    ['many receives', redrive(ARN, 101), {}, /maxReceiveCount should be 100/],
    ['short retention', { MessageRetentionPeriod: '1209599' }, {}, /^queue\.url keeps messages for less than 14 days/],
    ['short letters', {}, { MessageRetentionPeriod: '345600' }, /^queue\.deadLetterUrl keeps .* to 1209600$/],
    ['another visibility', { VisibilityTimeout: '31' }, {}, /VisibilityTimeout differs .*\(30 s\)/],
    ['one dedup scope', { DeduplicationScope: 'queue' }, {}, /set DeduplicationScope to messageGroup/],
    ['low throughput', { FifoThroughputLimit: 'perQueue' }, {}, /set FifoThroughputLimit to perMessageGroupId/],
    ['unencrypted', { SqsManagedSseEnabled: 'false' }, {}, /^queue\.url is not encrypted/],
    ['no key', { SqsManagedSseEnabled: 'false', KmsMasterKeyId: '' }, {}, /^queue\.url is not encrypted/],
    ['unencrypted letters', {}, { SqsManagedSseEnabled: 'false' }, /^queue\.deadLetterUrl is not encrypted/],
  ];
  for (const [name, changed, letters, warning] of table) {
    const { errors, warnings } = check(changed, letters);
    t.same(errors, [], name);
    t.equal(warnings.length, 1, name);
    t.match(warnings[0], warning, name);
  }
});

t.test('an attribute that is not told is a warning too', async (t) => {
  for (const key of ['MessageRetentionPeriod', 'VisibilityTimeout', 'DeduplicationScope', 'FifoThroughputLimit']) {
    t.equal(checkQueues(without(queue, key), deadLetters, SETTINGS).warnings.length, 1, key);
  }
});

t.test("a customer's key encrypts as well", async (t) => {
  const key = { SqsManagedSseEnabled: 'false', KmsMasterKeyId: 'alias/vaultferry' };
  t.same(check(key, key).warnings, []);
});

t.test("of the letters' queue only what matters there is asked", async (t) => {
  t.same(
    check({}, { VisibilityTimeout: '1', DeduplicationScope: 'queue', FifoThroughputLimit: 'perQueue' }).warnings,
    [],
  );
});
