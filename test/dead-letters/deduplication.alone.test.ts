import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { createInbox } from '../../src/queue/sqs.ts';
import { letter } from '../../src/worker/park.ts';
import { startMiniStack } from '../servers/ministack.ts';
import { createHouse } from './house.ts';
import { changeBody, PARKED, ROUTES } from './letters.ts';

// MiniStack, since roto forgets an id once its message is deleted; AWS and MiniStack hold it for five minutes.
const ministack = await startMiniStack();
t.teardown(() => ministack.stop());

async function house(name: string) {
  const queues = await ministack.createQueues({ name });
  const made = createHouse(ministack.client, queues);
  t.teardown(made.close);
  const inbox = createInbox(made.sqs, queues.url, 30, { waitSeconds: 1 });
  /** Does what a worker does with a message that fails for good. Gives its MessageId. */
  const failOnce = async (): Promise<string | undefined> => {
    const [message] = await inbox.receive(1);
    if (message === undefined) return undefined;
    const parking = letter(message, new ReplicationError('not_owned', 'taken'), undefined, PARKED);
    t.same(await made.deadLetters.send([parking]), []);
    await inbox.acknowledge([message]);
    return message.id;
  };
  return { ...made, failOnce };
}

t.test('MiniStack holds an id for longer than its message, which is what the next tests stand on', async (t) => {
  const { publisher, failOnce } = await house('window');
  const same = { body: changeBody('a'), group: 'g', deduplicationId: 'the-same' };
  await publisher.send([same]);
  t.ok(await failOnce());
  await publisher.send([same]);
  t.equal(await failOnce(), undefined, 'swallowed');
});

t.test('a letter that fails again at once is sent, and parked, each time anew', async (t) => {
  const { publisher, failOnce, inDeadLetters, run } = await house('again');
  const body = changeBody('a');
  const [target] = ROUTES.targets({ namespace: '', mount: 'kv', path: 'a' });
  await publisher.send([{ body, group: target?.group ?? '', deduplicationId: randomUUID() }]);
  const ids = new Set<string | undefined>();
  for (let round = 1; round <= 3; round++) {
    ids.add(await failOnce());
    const letters = await inDeadLetters();
    t.equal(letters.length, 1, `round ${round}: parked`);
    ids.add(letters[0]?.MessageId);
    t.match(await run({ kind: 'redrive', chosen: { by: 'all' } }, { yes: true }), { code: 0 });
    t.same(await inDeadLetters(), []);
  }
  ids.add(await failOnce());
  t.equal(ids.size, 7, 'no message was another one');
  t.notOk(ids.has(undefined), 'each redrive arrived');
});
