import t from 'tap';
import { type ApproveCommand, approveCommand } from '../../src/commands/approve-deletes.ts';
import { checkSweepLine } from '../../src/commands/sweep.ts';
import { ReplicationError } from '../../src/errors.ts';
import { parseMessage } from '../../src/queue/message.ts';
import { at, route, VAULT } from '../sweep/house.ts';
import { comparingHouse } from './comparing-house.ts';

t.test('what differs is put on the queue for each destination, and a worker then ends it', async (t) => {
  const { source, sweep, sweepText, queue, found, work, ends } = comparingHouse({
    routes: [route('kv', ['eu', 'us'])],
  });
  for (const path of ['a', 'b']) source.write(at(path), '"canary"');
  ends.eu.createByHand('kv/b', { value: 'theirs' });
  const first = await sweep();
  t.match(first, { code: 3, json: { enqueued: 3, secrets: [{}, {}, { action: 'adopt' }, { action: 'create' }] } });
  t.notMatch(JSON.stringify(first), /canary/);
  const [message] = queue.sent.map(({ body }) => parseMessage(body, VAULT));
  t.match(message, { kind: 'change', origin: 'sweep', sweepId: /^[0-9a-f-]{36}$/ });
  t.same(source.reads, [], 'no value is read');
  t.same(await found(), ['kv/a -> eu', 'kv/a -> us', 'kv/b -> us']);
  t.match((await sweepText()).text, /\n3 put on the queue, each for a look by a worker\n$/);
  await work();
  ends.eu.remove('kv/b');
  await sweep();
  await work();
  t.match(await sweepText(), { code: 0, text: /4 in sync\n[\s\S]*\nnothing was put on the queue\n$/ });
});

t.test('--deep reads values, and enqueues what a look can end', async (t) => {
  const { source, sweep, found, work, ends } = comparingHouse();
  for (const path of ['a', 'b']) source.write(at(path), '{"k":1}');
  await sweep();
  await work();
  for (const version of ends.eu.secret('kv/a').versions.values()) Object.assign(version, { value: '{}' });
  ends.eu.edit('kv/b', '{}');
  t.match(await sweep({ deep: true }), { code: 3, json: { secrets: [{ action: 'differs' }, { action: 'update' }] } });
  t.same(await found(), ['kv/b -> eu'], 'the right version has no better one');
});

t.test('no deletion is carried out, though it is due', async (t) => {
  const { source, sweep, run, work, ends, clock, found } = comparingHouse({ deletion: {} });
  source.write(at('a'), '{}');
  await run();
  await work();
  source.delete(at('a'));
  await run();
  await work();
  await clock.advance(60 * 60_000);
  t.match(await sweep(), { code: 3, json: { enqueued: 0, secrets: [{ action: 'delete' }] } });
  t.same(await found(), []);
  t.ok(ends.eu.has('kv/a') && !ends.eu.secret('kv/a').scheduledForDeletion);
});

t.test('where metadata is hidden nothing is said to be in sync, unless each secret is looked at', async (t) => {
  const { source, sweep, sweepText, plan, work } = comparingHouse();
  for (const path of ['a', 'b']) source.write(at(path), '{}');
  await sweep();
  await work();
  source.hideMetadata(new ReplicationError('source_forbidden', 'the policy lacks a line'));
  const gaps = [{ what: 'kv/', code: 'source_forbidden', why: 'the policy lacks a line' }];
  t.match(await sweep(), { code: 3, json: { secrets: [], actions: { eu: { unknown: 2 } }, gaps, enqueued: 2 } });
  await work();
  t.match(await sweepText(), { code: 3, text: /not compared: kv\/: the policy lacks a line \(source_forbidden\)/ });
  await work();
  for (const way of [() => plan(), () => plan({ deep: true }), () => sweep({ deep: true })]) {
    t.match(await way(), { code: 0, json: { actions: { eu: { in_sync: 2 } } } });
  }
  t.same((await plan()).json.gaps, []);
});

t.test('when SQS fails it ends so', async (t) => {
  const { source, sweep, queue, shown } = comparingHouse();
  source.write(at('a'), '{}');
  queue.publisher.send = async () => {
    throw new ReplicationError('queue_unavailable', 'SQS answered nothing');
  };
  await t.rejects(sweep(), { code: 'queue_unavailable' });
  t.equal(shown.at(-1), 'end');
});

t.test('a queue that nobody takes from is told, and on the terminal as long as it is so', async (t) => {
  const { source, sweep, queue, clock, shown } = comparingHouse();
  for (let index = 0; index < 520; index += 1) source.write(at(`s${index}`), '{}');
  const swept = sweep();
  await clock.advance(60_000);
  t.equal(shown.at(-1), 'crowded 500');
  t.ok(shown.filter((text) => text === 'crowded 500').length > 30);
  for (let batch = await queue.inbox.receive(10, 0); batch.length > 0; batch = await queue.inbox.receive(10, 0)) {
    await queue.inbox.acknowledge(batch);
  }
  await clock.advance(60_000);
  const { errors } = await swept;
  t.equal(errors.length, 1, 'once where there is no terminal');
  t.match(errors[0], /^500 messages wait on the queue, .*is a worker running\?\n$/);
  t.equal(shown.at(-1), 'end');
});

/** Copies whose deletion a worker holds. */
async function heldHouse(paths = ['a', 'b', 'c']) {
  const world = comparingHouse({ deletion: {} });
  const { source, run, work, clock, command, queue, asJson, ran } = world;
  for (const path of paths) source.write(at(path), '{}');
  await run();
  await work();
  for (const path of paths) source.delete(at(path));
  await run();
  await work();
  await clock.advance(20 * 60_000);
  const asked: string[] = [];
  const approve = (more: Partial<ApproveCommand>) => {
    const ask = async (question: string) => asked.push(question) > 100;
    return approveCommand({ ...command, publisher: queue.publisher, yes: false, json: false, ask, ...more });
  };
  return {
    ...{ ...world, asked },
    approveText: (more: Partial<ApproveCommand> = {}) => ran(() => approve(more)),
    approveJson: (more: Partial<ApproveCommand> = {}) => asJson(() => approve({ ...more, json: true })),
  };
}

t.test('--approve-deletes shows what is held, asks, and does nothing unless it is told yes', async (t) => {
  const { approveText, approveJson, asked, queue } = await heldHouse();
  const before = queue.sent.length;
  const { code, text, errors } = await approveText();
  t.equal(code, 1);
  t.match(
    text,
    /^SECRET {2}DESTINATION {2}VERSION ID +ABSENT SINCE\nkv\/a +eu +v1-\S+ +2026-11-24T21:40:00\.000Z\nkv\/b/,
  );
  t.same(errors, ['nothing was approved\n']);
  const asJson = await approveJson();
  t.match(asJson, {
    code: 1,
    json: { held: [{}, {}, {}], approved: 0 },
    errors: [/^SECRET/, 'nothing was approved\n'],
  });
  t.same(asked, ['Approve 3 deletions?', 'Approve 3 deletions?']);
  t.equal(queue.sent.length, before);
});

t.test('what is approved is what a worker then deletes, and nothing else', async (t) => {
  const { approveJson, queue, run, source, ends } = await heldHouse();
  const before = queue.sent.length;
  const { code, json, errors } = await approveJson({ yes: true });
  t.match({ code, errors }, { code: 0, errors: [] });
  t.match(json, {
    approved: 3,
    gaps: [],
    held: [{ ref: 'kv/a', destination: 'eu', secretName: 'kv/a', versionId: /^v1-/ }, {}, {}],
  });
  const [request, ...more] = queue.sent.slice(before);
  t.match({ more, request }, { more: [], request: { group: 'sweep-vault', deduplicationId: /^[0-9a-f-]{36}$/ } });
  const message = parseMessage(request?.body ?? '', VAULT);
  t.match(message, {
    kind: 'sweep',
    origin: 'operator',
    approve: [{ ref: 'kv/a', mark: /^2026-11-24T21:40/ }, {}, {}],
  });
  source.undelete(at('b'));
  const approvals = message.kind === 'sweep' ? (message.approve ?? []) : [];
  t.match(await run({ approvals: () => approvals }), { deleted: 2 });
  t.notOk(ends.eu.secret('kv/b').scheduledForDeletion);
});

t.test('asked and answered with yes; and said on a terminal', async (t) => {
  const { approveText, queue } = await heldHouse();
  const before = queue.sent.length;
  const { code, text } = await approveText({ ask: async () => true });
  t.match(
    { code, text },
    { code: 0, text: /\napproved 3 deletions: a worker's next sweep schedules what is still so\n$/ },
  );
  t.equal(queue.sent.length, before + 1);
});

t.test('nothing held is nothing to ask', async (t) => {
  const { approveText, asked, listings } = await heldHouse(['a']);
  t.match(await approveText(), { code: 0, text: 'no deletion is held\n' });
  listings['us'] = async function* () {
    yield* [];
    throw new Error('canary');
  };
  t.match(await approveText(), {
    code: 3,
    text: /^not compared: destinations\.us: .*\(internal\)\nno deletion is held\n$/,
  });
  listings['eu'] = listings['us'];
  t.match(await approveText(), { code: 1 });
  t.same(asked, []);
});

t.test('copies with replicas are not shown for an approval, and make nothing held', async (t) => {
  const { approveText, approveJson, ends } = await heldHouse();
  ends.eu.secret('kv/a').replicas = ['us-west-2'];
  t.match(await approveJson({ yes: true }), {
    code: 0,
    json: { held: [{ ref: 'kv/b' }, { ref: 'kv/c' }], approved: 2 },
  });
  ends.eu.secret('kv/b').replicas = ['us-west-2'];
  t.match(await approveText(), { code: 0, text: 'no deletion is held\n' });
});

t.test('a request that SQS does not take is no approval', async (t) => {
  const { approveText } = await heldHouse();
  const publisher = { send: async () => [{ index: 0, forGood: false }] };
  await t.rejects(approveText({ yes: true, publisher }), { code: 'queue_unavailable' });
});

t.test('the command line', async (t) => {
  const line = { operands: [], all: false, deep: false, dryRun: false, approveDeletes: false, yes: false };
  const approve = { ...line, approveDeletes: true };
  for (const fine of [line, { ...line, deep: true, all: true, dryRun: true }, { ...approve, yes: true }]) {
    t.doesNotThrow(() => checkSweepLine(fine, false));
  }
  t.doesNotThrow(() => checkSweepLine(approve, true));
  const wrong = [
    [{ ...line, operands: ['kv/a'] }, /no operand/],
    [approve, /--yes/],
    [{ ...line, yes: true }, /--approve-deletes alone/],
    ...(['deep', 'all', 'dryRun'] as const).map(
      (key) => [{ ...approve, yes: true, [key]: true }, /--yes and --json/] as const,
    ),
  ] as const;
  for (const [one, message] of wrong) t.throws(() => checkSweepLine(one, false), { name: 'UsageError', message });
});
