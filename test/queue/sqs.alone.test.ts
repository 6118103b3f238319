import { createHash } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import t from 'tap';
import type { Outgoing, Received } from '../../src/queue/ports.ts';
import { createInbox, createPublisher, deleteMessage, queueAttributes } from '../../src/queue/sqs.ts';
import { awsError, startAwsStandIn } from '../aws/stand-in.ts';
import { startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';

const roto = await startRoto();
const client = new SQSClient(roto.client);
t.teardown(async () => {
  client.destroy();
  await roto.stop();
});

let queues = 0;

/** A queue of its own for each test. */
async function queue(visibility = 30) {
  queues += 1;
  const { url, deadLetterUrl } = await roto.createQueues({ name: `queue-${queues}` });
  return { url, deadLetterUrl, publisher: createPublisher(client, url), inbox: createInbox(client, url, visibility) };
}

const message = (group: string, body: string, more: Partial<Outgoing> = {}): Outgoing => ({
  group,
  body,
  deduplicationId: `${group}-${body}`,
  ...more,
});

const bodies = (messages: readonly Received[]) => messages.map(({ body }) => body);

t.test('what is sent comes back as it was, with all that SQS says of it', async (t) => {
  const { publisher, inbox } = await queue();
  const body = '{"path":"é 😀 \\uFFFE"}';
  t.same(await publisher.send([message('g', body), message('h', 'two', { attributes: { code: 'internal' } })]), []);
  const messages = await inbox.receive(10);
  t.same(bodies(messages).sort(), ['two', body].sort());
  const one = messages.find((received) => received.group === 'g');
  t.match(one, { id: /./, receipt: /./, body, group: 'g', receives: 1 });
  const { sentAt = 0 } = one ?? {};
  t.ok(Math.abs(Date.now() - sentAt) < 60_000, 'SentTimestamp is in ms');
});

t.test("messages' own attributes come only to who asks for them", async (t) => {
  const { url, publisher, inbox } = await queue();
  await publisher.send([message('g', 'one', { attributes: { code: 'internal', text: 'é 😀' } })]);
  const [bare] = await inbox.receive(10);
  t.equal(bare?.attributes, undefined);
  if (bare !== undefined) await inbox.hide([bare], 0);
  const asking = createInbox(client, url, 30, { waitSeconds: 0, attributes: true });
  t.strictSame((await asking.receive(10))[0]?.attributes, { code: 'internal', text: 'é 😀' });
});

t.test('a receive waits no longer than it was told, and one message is deleted by itself', async (t) => {
  const { url, publisher } = await queue();
  const brief = createInbox(client, url, 30, { waitSeconds: 0 });
  const began = performance.now();
  t.same(await brief.receive(10), []);
  t.ok(performance.now() - began < 2_000);
  await publisher.send([message('g', 'one')]);
  const [received] = await brief.receive(1);
  if (received === undefined) throw new Error('nothing was received');
  await deleteMessage(client, url, received);
  t.match(await brief.depth(), { visible: 0 });
  await brief.hide([received], 0);
  t.same(await brief.receive(1), []);
});

t.test('acknowledged messages are gone, those given back come again at once, and are counted', async (t) => {
  const { publisher, inbox } = await queue();
  await publisher.send([message('a', 'a'), message('b', 'b')]);
  const first = await inbox.receive(10);
  await inbox.acknowledge(first.filter(({ group }) => group === 'a'));
  await inbox.hide(
    first.filter(({ group }) => group === 'b'),
    0,
  );
  const second = await inbox.receive(10);
  t.match(second, [{ body: 'b', receives: 2, id: first.find(({ group }) => group === 'b')?.id }]);
  t.equal(second.length, 1);
  await inbox.acknowledge(second);
  t.match(await inbox.depth(), { visible: 0 });
});

t.test('a group is hidden while one of its messages is in flight, and comes in order', async (t) => {
  const { publisher, inbox } = await queue();
  await publisher.send([message('g', '1'), message('g', '2'), message('h', '3')]);
  const [first, ...rest] = await inbox.receive(1);
  t.equal(rest.length, 0);
  t.equal(first?.body, '1');
  t.same(bodies(await inbox.receive(10)), ['3']);
  if (first !== undefined) await inbox.acknowledge([first]);
  t.same(bodies(await inbox.receive(10)), ['2']);
});

t.test('the visibility that was asked for passes, and the message comes again', async (t) => {
  const { publisher, inbox } = await queue(1);
  await publisher.send([message('g', '1')]);
  const received = await inbox.receive(10);
  await inbox.hide(received, 2);
  const began = performance.now();
  const again = await until(async () => (await inbox.receive(10))[0], { what: 'the message' });
  t.ok(performance.now() - began > 1_000);
  t.match(again, { body: '1', receives: 2 });
});

t.test('a message that is extended stays hidden for longer than it was received for', async (t) => {
  const { publisher, inbox } = await queue(1);
  await publisher.send([message('g', '1')]);
  const [received] = await inbox.receive(1);
  if (received === undefined) throw new Error('nothing was received');
  const began = performance.now();
  await inbox.extend(received, 3);
  await until(async () => (await inbox.receive(10))[0], { what: 'the message' });
  t.ok(performance.now() - began > 2_000);
});

t.test('to extend what is gone is an error', async (t) => {
  const { publisher, inbox } = await queue();
  await publisher.send([message('g', '1')]);
  const [received] = await inbox.receive(1);
  if (received === undefined) throw new Error('nothing was received');
  await inbox.extend(received, 60);
  await inbox.acknowledge([received]);
  await t.rejects(inbox.extend(received, 60), { code: 'queue_unavailable', message: /^SQS answered ChangeMessageVis/ });
});

t.test('more than a batch is acknowledged and hidden in several calls', async (t) => {
  const { publisher, inbox } = await queue();
  const all = Array.from({ length: 25 }, (_, index) => message(`g${index}`, String(index)));
  for (let start = 0; start < all.length; start += 10) await publisher.send(all.slice(start, start + 10));
  const receiveAll = async () => {
    const received: Received[] = [];
    while (received.length < 25) received.push(...(await inbox.receive(100)));
    return received;
  };
  const received = await receiveAll();
  t.equal(new Set(bodies(received)).size, 25);
  t.match(await inbox.depth(), { visible: 0 });
  await inbox.hide(received, 0);
  t.match(await inbox.depth(), { visible: 25 });
  await inbox.acknowledge(await receiveAll());
  t.match(await inbox.depth(), { visible: 0 });
  await inbox.acknowledge([]);
  await inbox.hide([], 5);
});

t.test("depth tells what is visible, and SQS's clock in whole seconds", async (t) => {
  const { publisher, inbox } = await queue();
  await publisher.send([message('a', '1'), message('b', '2'), message('c', '3')]);
  await inbox.receive(1);
  const { visible, date } = await inbox.depth();
  t.equal(visible, 2);
  t.equal(date % 1_000, 0);
  t.ok(Math.abs(Date.now() - date) < 5_000);
});

t.test('all attributes of the queues', async (t) => {
  const { url, deadLetterUrl } = await queue();
  const { attributes } = await queueAttributes(client, url);
  t.match(attributes, { FifoQueue: 'true', RedrivePolicy: /maxReceiveCount/ });
  t.match((await queueAttributes(client, deadLetterUrl)).attributes, { QueueArn: /-dlq\.fifo$/ });
});

t.test('a queue that is not there', async (t) => {
  const { url } = await queue();
  const inbox = createInbox(client, `${url.replace('.fifo', '')}-gone.fifo`, 30);
  await t.rejects(inbox.depth(), { code: 'queue_unavailable', message: /GetQueueAttributes with .*QueueDoesNotExist/ });
});

const RECEIVED: Received = { id: 'm', receipt: 'r', body: 'b', group: 'g', receives: 1, sentAt: 0 };

async function standInHouse() {
  const standIn = await startAwsStandIn();
  const url = `${standIn.endpoint}/000000000000/q.fifo`;
  const requestHandler = { requestTimeout: 150, connectionTimeout: 150, throwOnRequestTimeout: true };
  const sqs = new SQSClient({ ...standIn.client, maxAttempts: 1, requestHandler });
  const close = async () => {
    sqs.destroy();
    await standIn.close();
  };
  const remove = (one: Received) => deleteMessage(sqs, url, one);
  return { standIn, publisher: createPublisher(sqs, url), inbox: createInbox(sqs, url, 30), remove, close };
}

t.test('every failed call is queue_unavailable, named by its operation and without a word of the answer', async (t) => {
  const { standIn, publisher, inbox, remove, close } = await standInHouse();
  t.teardown(close);
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    SendMessageBatch: () => publisher.send([message('g', 'canary')]),
    ReceiveMessage: () => inbox.receive(1),
    DeleteMessage: () => remove(RECEIVED),
    DeleteMessageBatch: () => inbox.acknowledge([RECEIVED]),
    ChangeMessageVisibilityBatch: () => inbox.hide([RECEIVED], 5),
    ChangeMessageVisibility: () => inbox.extend(RECEIVED, 60),
    GetQueueAttributes: () => inbox.depth(),
  };
  for (const answer of [
    awsError('AccessDeniedException', 'canary'),
    awsError('ThrottlingException', 'canary'),
    awsError('InternalError', 'canary', 500),
    { status: 502, body: '<html>canary</html>' },
    { act: 'reset' },
    { act: 'hang' },
  ] as const) {
    standIn.answer(answer);
    for (const [operation, call] of Object.entries(calls)) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      t.match(error, { code: 'queue_unavailable', message: new RegExp(`^SQS answered ${operation} with \\w+$`) });
      t.notMatch(JSON.stringify([String(error), (error as Error).cause ?? '']), /canary/);
    }
  }
});

t.test('unlike hiding, extending tells of a receipt that has expired, as AWS spells it', async (t) => {
  const { standIn, inbox, close } = await standInHouse();
  t.teardown(close);
  for (const name of ['InvalidParameterValue', 'ReceiptHandleIsInvalid', 'MessageNotInflight']) {
    standIn.answer(awsError(name, 'the receipt handle has expired'));
    await t.rejects(inbox.extend(RECEIVED, 60), { code: 'queue_unavailable', message: new RegExp(`with ${name}$`) });
  }
  standIn.answer({
    body: { Successful: [], Failed: [{ Id: '0', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }] },
  });
  await inbox.hide([RECEIVED], 60);
});

t.test('entries that SQS did not take are told by their place, and whether a second try can help', async (t) => {
  const { standIn, publisher, inbox, close } = await standInHouse();
  t.teardown(close);
  const failed = [
    { Id: '2', SenderFault: true, Code: 'InvalidMessageContents', Message: 'canary' },
    { Id: '0', SenderFault: false, Code: 'InternalError' },
    { Id: '1', SenderFault: true, Code: 'RequestThrottled' },
    { Id: '3', SenderFault: true, Code: 'KMS.AccessDeniedException' },
    { Id: '4', SenderFault: true, Code: 'InvalidParameterValue' },
    { Id: '5', SenderFault: true },
  ];
  standIn.answer({ body: { Successful: [], Failed: failed } });
  t.strictSame(await publisher.send([...'abcdef'].map((body) => message('g', body))), [
    { index: 2, forGood: true, code: 'InvalidMessageContents' },
    { index: 0, forGood: false, code: 'InternalError' },
    { index: 1, forGood: false, code: 'RequestThrottled' },
    { index: 3, forGood: false, code: 'KMS.AccessDeniedException' },
    { index: 4, forGood: true, code: 'InvalidParameterValue' },
    { index: 5, forGood: false, code: '' },
  ]);
  await inbox.acknowledge([RECEIVED]);
  await inbox.hide([RECEIVED], 0);
  t.same(standIn.operations, ['SendMessageBatch', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch']);
});

t.test('an answer with nothing in it, as AWS and emulators spell it', async (t) => {
  const { standIn, inbox, close } = await standInHouse();
  t.teardown(close);
  for (const body of [{}, { Messages: [] }]) {
    standIn.answer({ body });
    t.same(await inbox.receive(10), []);
  }
  const MD5OfBody = createHash('md5').update('b').digest('hex');
  standIn.answer({ body: { Messages: [{ MessageId: 'm', ReceiptHandle: 'r', Body: 'b', MD5OfBody }] } });
  t.same(await inbox.receive(10), [{ ...RECEIVED, group: '' }]);
});

t.test("SQS's clock is the answer's Date; without one, our own in whole seconds", async (t) => {
  const { standIn, inbox, close } = await standInHouse();
  t.teardown(close);
  standIn.answer({ body: { Attributes: { ApproximateNumberOfMessages: '7' } }, date: 'Tue, 24 Nov 2026 21:40:00 GMT' });
  t.same(await inbox.depth(), { visible: 7, date: Date.parse('2026-11-24T21:40:00Z') });
  for (const date of [false, 'canary'] as const) {
    standIn.answer({ body: {}, date });
    const { visible, date: now } = await inbox.depth();
    t.equal(visible, 0);
    t.ok(now % 1_000 === 0 && Math.abs(Date.now() - now) < 5_000);
  }
});
