import t from 'tap';
import { systemClock } from '../../src/clock.ts';
import type { DlqAction } from '../../src/commands/dlq-action.ts';
import { ReplicationError } from '../../src/errors.ts';
import { parseMessage } from '../../src/queue/message.ts';
import { createHouse } from '../dead-letters/house.ts';
import { changeBody, ROUTES, SWEEP_BODY, VAULT } from '../dead-letters/letters.ts';
import { startRoto } from '../servers/roto.ts';

const roto = await startRoto();
t.teardown(roto.end);

let houses = 0;

async function house() {
  houses += 1;
  const made = createHouse(roto.client, await roto.createQueues({ name: `dlq-${houses}` }));
  t.teardown(made.close);
  return made;
}

const LIST: DlqAction = { kind: 'list' };
const ALL: DlqAction = { kind: 'redrive', chosen: { by: 'all' } };
const drop = (...ids: string[]): DlqAction => ({ kind: 'drop', ids });
const redrive = (...ids: string[]): DlqAction => ({ kind: 'redrive', chosen: { by: 'ids', ids } });
const idsOf = (stdout: string): string[] => JSON.parse(stdout).letters.map(({ id }: { id: string }) => id);

t.test('an empty queue has no letters', async (t) => {
  const { run } = await house();
  t.same(await run(LIST), { code: 0, stdout: '{"letters":[],"heldByOthers":0,"waiting":0}\n', stderr: '' });
  t.match(await run(LIST, { json: false }), { code: 0, stdout: 'no dead letters\n' });
  t.match(await run(ALL, { json: false }), { code: 0, stdout: '0 letters redriven\n' });
});

t.test('the list tells every kind, and leaves everything as it was', async (t) => {
  const { park, place, run, counts, hold, release } = await house();
  await park(['a', 'b'], { code: 'value_too_large', ref: 'kv/x' });
  await place(changeBody('killer'));
  await place(SWEEP_BODY);
  await place('{"canary":1}');
  const { code, stdout, stderr } = await run(LIST);
  t.same([code, stderr], [3, '']);
  const { letters, ...unread } = JSON.parse(stdout);
  t.same(unread, { heldByOthers: 0, waiting: 0 });
  t.same(
    letters.map(({ code, ref }: Record<string, string>) => `${code} ${ref}`),
    [
      'value_too_large kv/a',
      'value_too_large kv/b',
      'worker_died kv/killer',
      'worker_died undefined',
      'foreign undefined',
    ],
  );
  t.notMatch(stdout, /canary/);
  t.same(await counts(), [5, 0]);
  const plain = await hold(10);
  t.same(plain.map(({ MessageId }) => MessageId).sort(), letters.map(({ id }: { id: string }) => id).sort());
  await release(plain);
});

t.test('250 letters are listed, given back, and redriven', async (t) => {
  const { park, run, counts, inQueue } = await house();
  const paths = Array.from({ length: 250 }, (_, index) => `app/${index}`);
  await park(paths);
  const steps: string[] = [];
  const listed = await run(LIST, { progress: (text) => void steps.push(text) });
  t.equal(new Set(idsOf(listed.stdout)).size, 250);
  t.ok(steps.length > 20 && steps.at(-1) === '', 'a person sees that it reads');
  t.same(await counts(), [250, 0]);
  const { code, stdout } = await run(ALL, { yes: true });
  t.equal(code, 0);
  t.equal(JSON.parse(stdout).redriven.length, 250);
  t.same(await counts(), [0, 0]);
  const sent = await inQueue();
  t.same(sent.map(({ Body = '' }) => Body).sort(), paths.map((path) => changeBody(path)).sort());
  for (const { Body = '', Attributes, MessageAttributes } of sent) {
    const message = parseMessage(Body, VAULT);
    t.equal(Attributes?.MessageGroupId, message.kind === 'change' && ROUTES.targets(message)[0]?.group);
    t.equal(MessageAttributes, undefined);
  }
});

t.test('letters that another reader holds are told of', async (t) => {
  const { park, run, hold, counts } = await house();
  await park(['a', 'b', 'c', 'd', 'e']);
  const held = await hold(2);
  const { code, stdout } = await run(LIST);
  t.match(JSON.parse(stdout), { heldByOthers: 2, waiting: 0 });
  t.same([code, idsOf(stdout).length], [3, 3]);
  t.same(await counts(), [3, 2], 'what others hold stays with them');
  const text = await run({ kind: 'show', id: held[0]?.MessageId ?? '' }, { json: false });
  t.match(text, { code: 1, stdout: '', stderr: /no letter that can be read has this ID\n2 more, held by another/ });
  await hold(10);
  t.match(await run(LIST, { json: false }), { code: 3, stdout: /^5 more, held by another reader/ });
});

t.test('a redrive waits a little for letters that another reader holds, and says where it left some', async (t) => {
  const { park, run, hold, release, counts } = await house();
  await park(['a', 'b', 'c']);
  let held = await hold(2);
  const pauses: number[] = [];
  const clock = { ...systemClock, sleep: async (ms: number, signal?: AbortSignal) => pause(ms, signal) };
  let pause = (ms: number, signal?: AbortSignal) => {
    if (ms !== 2_000) return systemClock.sleep(ms, signal); // the heartbeat's
    pauses.push(ms);
    return Promise.resolve();
  };
  const left = await run(ALL, { yes: true, clock, json: false });
  t.match(left, { code: 1, stdout: /1 letter redriven/, stderr: /2 held by another reader.*: run it again/ });
  t.equal(pauses.length, 3);
  t.same(await counts(), [0, 2]);
  const before = pause;
  pause = async (ms, signal) => {
    if (ms !== 2_000) return before(ms, signal);
    await release(held);
    held = [];
  };
  t.match(await run(ALL, { yes: true, clock, json: false }), { code: 0, stdout: /2 letters redriven/, stderr: '' });
  t.same(await counts(), [0, 0]);
});

t.test('a code that nobody knows is a slip, unless a letter has it', async (t) => {
  const { park, run } = await house();
  const byCode = (code: string): DlqAction => ({ kind: 'redrive', chosen: { by: 'code', code } });
  t.match(await run(byCode('not_wned')), { code: 1, stderr: /--code not_wned: there is no such code/ });
  t.match(await run(byCode('not_owned')), { code: 0, stderr: '' });
  await park(['a'], { code: 'of_tomorrow' });
  t.match(await run(byCode('of_tomorrow')), { code: 0, stderr: '' });
});

t.test('letters that SQS moved hide each other beyond ten; a redrive of all finds them', async (t) => {
  const { place, run, counts, inQueue } = await house();
  for (let version = 1; version <= 24; version++) await place(changeBody('killer', { version }), 'one-group');
  const { stdout } = await run(LIST);
  t.match(JSON.parse(stdout), { heldByOthers: 0, waiting: 14 });
  t.equal(idsOf(stdout).length, 10);
  const asked: string[] = [];
  const ask = async (question: string) => asked.push(question) > 0;
  const redriven = await run(ALL, { ask, json: false });
  t.match(redriven, { code: 0, stdout: /\n24 letters redriven\n$/ });
  t.match(asked, [/^Send 10 letters and what waits behind them \(about 14 more\) back/]);
  t.same(await counts(), [0, 0]);
  t.equal((await inQueue()).length, 10, 'in one group again');
});

t.test('what came after the first reading is left for the next time', async (t) => {
  const { place, run, letters, counts } = await house();
  for (let version = 1; version <= 12; version++) await place(changeBody('killer', { version }), 'one-group');
  const count = async () => ({ ...(await letters.count()), date: Date.now() - 60_000 });
  const { code, stdout } = await run(ALL, { yes: true, queue: { ...letters, count } });
  t.equal(code, 0);
  t.equal(JSON.parse(stdout).redriven.length, 10);
  t.same(await counts(), [2, 0]);
});

t.test('what failed in the first reading is not tried again in the next', async (t) => {
  const { place, park, run, letters, publisher, counts } = await house();
  for (let version = 1; version <= 12; version++) await place(changeBody('killer', { version }), 'one-group');
  await park(['stuck']);
  const sent: string[] = [];
  const send: typeof publisher.send = async (batch) => {
    sent.push(...batch.map(({ body }) => body));
    return publisher.send(batch);
  };
  const remove: typeof letters.remove = async (letter) => {
    if (letter.body === changeBody('stuck')) throw new Error('expired');
    await letters.remove(letter);
  };
  const { code, stdout } = await run(ALL, { yes: true, queue: { ...letters, remove }, publisher: { send } });
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { failed: [{ ref: 'kv/stuck' }] });
  t.same([sent.length, new Set(sent).size], [13, 13]);
  t.same(await counts(), [1, 0]);
});

t.test('a redrive by id and by code takes those alone', async (t) => {
  const { park, run, inQueue } = await house();
  await park(['a', 'b'], { code: 'not_owned' });
  await park(['c'], { code: 'internal' });
  const ids = idsOf((await run(LIST)).stdout);
  const { code, stdout } = await run({ kind: 'redrive', chosen: { by: 'code', code: 'internal' } });
  t.match(JSON.parse(stdout), { redriven: [{ ref: 'kv/c', message: { path: 'c' } }] });
  t.equal(code, 0);
  const [one = ''] = ids;
  const text = await run(redrive(one.slice(0, 8)), { json: false });
  t.match(text, { code: 0, stdout: new RegExp(`^redriven ${one} kv/. -> default\n1 letter redriven\n`) });
  t.equal((await inQueue()).length, 2);
  const gone = await run(redrive(one, 'nobody'));
  t.match(gone, { code: 1, stderr: new RegExp(`${one}: no letter.*\nnobody: no letter`) });
  t.match(JSON.parse(gone.stdout), { redriven: [], unknown: [one, 'nobody'] });
});

t.test('what cannot go back is refused and stays, the rest goes', async (t) => {
  const { park, place, run, inQueue, counts } = await house();
  await park(['gone/app', 'a']);
  await place('{"canary":1}');
  await place(SWEEP_BODY);
  const { code, stdout, stderr } = await run(ALL, { yes: true, json: false });
  t.equal(code, 1);
  t.match(stdout, /2 letters redriven\n1 foreign letter left alone\n$/);
  t.match(stderr, /^[\w-]+ kv\/gone\/app -> default: no route leads kv\/gone\/app /);
  t.notMatch(stdout + stderr, /canary/);
  t.same(await counts(), [2, 0]);
  t.same((await inQueue()).map(({ Attributes }) => Attributes?.MessageGroupId).includes('sweep-vault'), true);
  const foreign = await run({ kind: 'redrive', chosen: { by: 'code', code: 'foreign' } });
  t.match(foreign, { code: 1, stderr: /none of VaultFerry's/ });
});

t.test('a crash between send and delete leaves the letter, and the message on the queue', async (t) => {
  const { park, run, letters, inQueue, counts } = await house();
  await park(['a', 'b']);
  const remove = () => Promise.reject(new Error('canary'));
  const { code, stdout, stderr } = await run(ALL, { yes: true, queue: { ...letters, remove } });
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { redriven: [], failed: [{ ref: 'kv/a', reason: /is on the queue again/ }, {}] });
  t.notMatch(stderr, /canary/);
  t.same(await counts(), [2, 0]);
  t.equal((await inQueue()).length, 2);
  t.match(await run(ALL, { yes: true }), { code: 0 });
  t.equal((await inQueue()).length, 4, 'a fresh id each time');
});

t.test('a queue that takes nothing stops a redrive, and what went is told', async (t) => {
  const { park, run, publisher, counts } = await house();
  await park(['a', 'b', 'c']);
  let sends = 0;
  const ailing: typeof publisher = {
    send: async (batch) => {
      sends += 1;
      return sends === 2 ? [{ index: 0, forGood: false }] : publisher.send(batch);
    },
  };
  const { code, stdout, stderr } = await run(ALL, { yes: true, publisher: ailing });
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { redriven: [{ ref: 'kv/a' }] });
  t.match(stderr, /ended before all were tried: SQS did not take the message \(queue_unavailable\)/);
  t.same(await counts(), [2, 0]);
});

t.test('a queue that cannot be reached ends it: nothing done is an error, something done is told', async (t) => {
  const { park, place, run, letters, publisher, counts } = await house();
  await park(['a']);
  const away = () => Promise.reject(new ReplicationError('queue_unavailable', 'SQS is away'));
  await t.rejects(run(LIST, { queue: { ...letters, receive: away } }), { code: 'queue_unavailable' });
  const [id = ''] = idsOf((await run(LIST)).stdout);
  const dropped = await run(drop(id), { yes: true, queue: { ...letters, remove: away } });
  t.match(dropped, { code: 1, stderr: 'ended before all were tried: SQS is away (queue_unavailable)\n' });
  t.same(await counts(), [1, 0]);
  for (let version = 1; version <= 12; version++) await place(changeBody('killer', { version }), 'one-group');
  let sends = 0;
  const send: typeof publisher.send = async (batch) => {
    sends += 1;
    return publisher.send(batch);
  };
  const receive = () => (sends > 0 ? away() : letters.receive());
  const redriven = await run(ALL, { yes: true, queue: { ...letters, receive }, publisher: { send } });
  t.match(redriven, { code: 1, stderr: /SQS is away/ });
  const went = JSON.parse(redriven.stdout).redriven.length;
  t.ok(went > 1 && went < 13, 'all of the first reading');
  const no = await run(ALL, { ask: async () => false });
  t.match(no, { code: 1, stderr: /^not confirmed: / });
  t.same(await counts(), [13 - went, 0]);
  await t.rejects(run(drop('nobody'), { queue: { ...letters, count: away } }), { code: 'queue_unavailable' });
});

t.test('an interruption gives back what is held, whenever it comes', async (t) => {
  const { park, run, counts, letters, publisher } = await house();
  await park(['a', 'b', 'c']);
  const reading = new AbortController();
  const receive = async () => {
    const received = await letters.receive();
    reading.abort();
    return received;
  };
  const early = await run(LIST, { queue: { ...letters, receive }, signal: reading.signal });
  t.match(early, { code: 1, stdout: '', stderr: 'interrupted: every letter is where it was\n' });
  t.same(await counts(), [3, 0]);
  const sending = new AbortController();
  const send: typeof publisher.send = async (batch) => {
    sending.abort();
    return publisher.send(batch);
  };
  const late = await run(ALL, { yes: true, publisher: { send }, signal: sending.signal });
  t.match(late, { code: 1, stderr: 'interrupted before all were tried\n' });
  t.match(JSON.parse(late.stdout), { redriven: [{ ref: 'kv/a' }] });
  t.same(await counts(), [2, 0]);
});

t.test('an error gives back what is held', async (t) => {
  const { park, run, counts } = await house();
  await park(['a']);
  await t.rejects(
    run(LIST, {
      write: () => {
        throw new Error('the pipe is closed');
      },
    }),
    /pipe/,
  );
  t.same(await counts(), [1, 0]);
});

t.test('a drop deletes what was named and confirmed, and nothing else', async (t) => {
  const { park, place, run, counts, inQueue } = await house();
  await park(['a', 'b']);
  await place('{"canary":1}');
  const [a = '', b = '', foreign = ''] = idsOf((await run(LIST)).stdout);
  const no = await run(drop(a, foreign), { ask: async () => false });
  t.match(no, { code: 1, stderr: /^not confirmed: .*\n$/m });
  t.match(no.stderr, new RegExp(`^${a} not_owned kv/a -> default\n${foreign} foreign \\(foreign, 12 bytes\\)\n`));
  t.same(await counts(), [3, 0]);
  const asked: string[] = [];
  const yes = await run(drop(a, foreign), { ask: async (question) => asked.push(question) > 0 });
  t.match(asked, [/^Delete 2 letters, 1 of them foreign \(not VaultFerry's\) for good\?$/]);
  t.equal(yes.code, 0);
  t.match(JSON.parse(yes.stdout), { dropped: [{ id: a }, { id: foreign, kind: 'foreign' }], failed: [] });
  t.match(await run(drop(a, b), { yes: true, json: false }), {
    ...{ code: 1, stdout: `dropped ${b} kv/b -> default\n1 letter dropped\n`, stderr: new RegExp(`^${a}: no letter`) },
  });
  t.same(await counts(), [0, 0]);
  t.same(await inQueue(), []);
});

t.test('show says what a letter means, in words and as JSON', async (t) => {
  const { park, run } = await house();
  await park(['a'], { code: 'value_too_large', text: 'the value has 70,000 bytes' });
  const [id = ''] = idsOf((await run(LIST)).stdout);
  const text = await run({ kind: 'show', id: id.slice(0, 6) }, { json: false });
  t.match(text, { code: 0, stdout: /means +The value is larger .*\n.*Split the secret/ });
  const json = await run({ kind: 'show', id });
  t.match(JSON.parse(json.stdout), { id, code: 'value_too_large', advice: /^Split/, message: { path: 'a' } });
  t.match(await run({ kind: 'show', id: 'nobody' }), { code: 1, stdout: '', stderr: /^nobody: no letter/ });
});
