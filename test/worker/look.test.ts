import t from 'tap';
import { type FailureCode, ReplicationError } from '../../src/errors.ts';
import { type ChangeMessage, encodeMessage, type Message } from '../../src/queue/message.ts';
import type { Received } from '../../src/queue/ports.ts';
import type { Order } from '../../src/replicate/look-at.ts';
import type { OnWritten, Outcome, Replicated } from '../../src/replicate/replicate.ts';
import { createRoutes, messageGroup, type Route } from '../../src/replicate/routes.ts';
import { createGate } from '../../src/worker/gate.ts';
import { createLook, type LookOptions } from '../../src/worker/look.ts';
import type { Wait } from '../../src/worker/settlement.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createOutages, unreachable } from '../fakes/outages.ts';
import { createFakeQueue } from '../fakes/queue.ts';

const START = Date.parse('2026-11-24T21:40:00.000Z');
const MINUTE = 60_000;

const ROUTE: Route = {
  ...{ name: 'kv', namespace: '', mount: 'kv', to: ['default'], include: ['**'], exclude: ['secret/*'] },
  as: '{mount}/{path}',
};

type Answer = Partial<Replicated> & { readonly written?: readonly Outcome[]; readonly version?: number };

interface Settings {
  readonly routes?: readonly Route[];
  /** What a replicator answers or throws, per order. */
  readonly replicate?: (order: Order) => Answer | Error | string;
  readonly sweep?: LookOptions['sweep'];
  readonly destinations?: readonly string[];
}

function house({ replicate = () => ({}), sweep, destinations = ['default'], routes }: Settings = {}) {
  const clock = manualClock();
  const outages = createOutages(['vault', ...destinations.map((name) => `destinations.${name}`)]);
  const stopping = new AbortController();
  const letters = createFakeQueue(clock);
  const { log, lines, events } = recordingLog();
  const orders: Order[] = [];
  const counted: string[] = [];
  const replicator = async (order: Order, onWritten: OnWritten): Promise<Replicated> => {
    orders.push(order);
    const answer = replicate(order);
    if (answer instanceof Error || typeof answer === 'string') throw answer;
    const { written = [], version = 3, outcome = written.at(-1) ?? 'unchanged', ...rest } = answer;
    for (const each of written) onWritten(each, version);
    return { outcome, behindHint: false, wentBack: false, ...rest };
  };
  const { signal } = stopping;
  const gate = createGate({ probes: outages.probes, clock, log, signal });
  const look = createLook({
    gate,
    signal,
    vault: 'vault',
    routes: createRoutes(
      routes ?? [{ ...ROUTE, to: destinations }],
      Object.fromEntries(destinations.map((name) => [name, { region: name }])),
    ),
    replicators: new Map(destinations.map((name) => [name, replicator])),
    deadLetters: letters.publisher,
    sweep: sweep ?? (async (requests) => ({ acknowledge: requests.map(({ received }) => received), hide: [] })),
    maxReceives: 10,
    clock,
    log,
    metrics: {
      replicated: (destination, outcome) => counted.push(`${destination} ${outcome}`),
      lag: (seconds) => counted.push(`lag ${seconds}`),
      failed: (code) => counted.push(`failed ${code}`),
    },
  });
  return { clock, letters, outages, gate, stopping, lines, events, orders, counted, look };
}

let count = 0;

const received = (body: string, more: Partial<Received> = {}): Received => {
  count += 1;
  return { id: `m${count}`, receipt: `r${count}`, body, group: 'g', receives: 1, sentAt: START, ...more };
};

const changeBody = (more: Partial<ChangeMessage> = {}): string => {
  const body: Message = {
    ...{ v: 1, kind: 'change', vault: 'vault', namespace: '', mount: 'kv', path: 'app', route: 'kv' },
    ...{ destination: 'default', origin: 'audit' },
    ...more,
  };
  return encodeMessage(body);
};

const change = (more: Partial<ChangeMessage> = {}, flight: Partial<Received> = {}) =>
  received(changeBody(more), flight);

const sweepRequest = () => received(encodeMessage({ v: 1, kind: 'sweep', vault: 'vault', origin: 'timer' }));

const hint = (version: number, second: string): Partial<ChangeMessage> => ({
  ...{ version, createdTime: `2026-11-24T21:39:${second}Z`, auditTime: `2026-11-24T21:39:${second}Z` },
});

const failing = (code: FailureCode) => () => new ReplicationError(code, `text of ${code}`);

t.test('one look with the newest hint serves all messages of one copy, in whatever order they lie', async (t) => {
  const { look, orders, events } = house({ replicate: () => ({ written: ['updated'] }) });
  const messages = [change(hint(4, '50')), change(hint(6, '52.5')), change(hint(5, '52')), change()];
  t.same(await look(messages), { acknowledge: messages, hide: [], wait: [] });
  t.match(orders, [
    {
      ...{ ref: { namespace: '', mount: 'kv', path: 'app' }, route: 'kv', secretName: 'kv/app' },
      hint: { version: 6, time: '20261124T213952500000000Z' },
    },
  ]);
  t.equal(orders.length, 1);
  t.same(events(), ['secret.replicated']);
});

t.test('the look is told when the last of its messages was sent', async (t) => {
  const { look, orders } = house();
  await look([
    change({}, { sentAt: START }),
    change({}, { sentAt: START + MINUTE }),
    change({}, { sentAt: START + 1 }),
  ]);
  t.match(orders, [{ sentAt: START + MINUTE }]);
});

t.test('only a purge that came after the version lets an absence be believed', async (t) => {
  const { look, orders } = house();
  const later = { auditTime: '2026-11-24T21:39:51Z' };
  await look([change(hint(5, '50')), change(later)]);
  await look([change(hint(5, '50')), change({ ...later, purge: true })]);
  await look([change({ ...later, purge: true }), change(hint(1, '52'))]);
  t.match(orders, [
    { hint: { version: 5 }, hintSuperseded: false },
    { hint: { version: 5 }, hintSuperseded: true },
    { hint: { version: 1 }, hintSuperseded: false },
  ]);
});

t.test('a version of the future is made up, and is not waited for', async (t) => {
  const { look, orders } = house();
  const ahead = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();
  await look([change(hint(5, '50')), change({ version: 99, createdTime: ahead(6) })]);
  await look([change({ version: 99, createdTime: ahead(6) })]);
  await look([change({ version: 6, createdTime: ahead(4) })]);
  t.match(orders, [{ hint: { version: 5 } }, { hint: undefined }, { hint: { version: 6 } }]);
});

t.test('two names of one secret in one destination are two copies', async (t) => {
  const routes = ['one', 'two'].map((name) => ({ ...ROUTE, name, as: `${name}/{path}` }));
  const { look, orders, letters } = house({ routes });
  await look([change({ route: 'one' })]);
  await look([change({ route: 'two' })]);
  await look([change({ route: 'renamed since' }, { group: messageGroup({ region: 'default' }, 'two/app') })]);
  await look([change({ route: 'gone' })]);
  t.match(orders, [{ secretName: 'one/app' }, { secretName: 'two/app' }, { secretName: 'two/app', route: 'two' }]);
  t.equal(orders.length, 3);
  t.match(letters.sent, [{ attributes: { code: 'unrouted' } }]);
});

t.test('times are compared as times, not as texts', async (t) => {
  const { look, orders } = house();
  await look([change(hint(6, '52.55')), change(hint(5, '52.5')), change(hint(4, '52'))]);
  t.match(orders, [{ hint: { version: 6 } }]);
});

t.test('a later message that tells of no version does not hide an earlier one that does', async (t) => {
  const { look, orders } = house();
  await look([change(hint(5, '50')), change({ auditTime: '2026-11-24T21:39:51Z' })]);
  t.match(orders, [{ hint: { version: 5 } }]);
});

t.test('after a purge the versions begin anew, so the later time is the newer version', async (t) => {
  const { look, orders } = house();
  await look([change(hint(1, '51')), change(hint(9, '50'))]);
  t.match(orders, [{ hint: { version: 1 } }]);
});

t.test('a message without a whole hint asks without one', async (t) => {
  const { look, orders } = house();
  await look([change({ version: 3 })]);
  await look([change({ createdTime: '2026-11-24T21:39:52Z' })]);
  t.match(orders, [{ hint: undefined }, { hint: undefined }]);
});

t.test('different refs, destinations and routes of one group are served one by one', async (t) => {
  const { look, orders } = house();
  const messages = [
    change({ path: 'a' }),
    change({ path: 'b' }),
    change({ path: 'a' }),
    change({ path: 'a', route: 'old' }, { group: messageGroup({ region: 'default' }, 'kv/a') }),
  ];
  const { acknowledge } = await look(messages);
  t.same(new Set(acknowledge), new Set(messages));
  t.same(
    orders.map(({ ref }) => ref.path),
    ['a', 'b', 'a'],
  );
});

t.test('what was written is logged and counted, with its lag from the audit time', async (t) => {
  const { look, lines, counted } = house({ replicate: () => ({ written: ['restored', 'updated'], version: 7 }) });
  await look([change(hint(7, '58.75'))]);
  const about = {
    level: 'info',
    event: 'secret.replicated',
    ref: 'kv/app',
    destination: 'default',
    secretName: 'kv/app',
  };
  t.match(lines, [
    { ...about, outcome: 'restored', version: 7, lagMs: undefined },
    { ...about, outcome: 'updated', version: 7, lagMs: 1_250 },
  ]);
  t.notOk('lagMs' in (lines[0] ?? {}));
  t.same(counted, ['default restored', 'default updated', 'lag 1.25']);
});

t.test('only a value that became current has a lag, and no lag is below zero', async (t) => {
  for (const outcome of [
    'created',
    'updated',
    'promoted',
    'restored',
    'marked_absent',
    'unmarked',
    'retagged',
  ] as const) {
    const { look, lines } = house({ replicate: () => ({ written: [outcome] }) });
    await look([change({ auditTime: '2026-11-24T21:40:09Z' })]);
    const moved = outcome === 'created' || outcome === 'updated' || outcome === 'promoted';
    t.equal(lines[0]?.['lagMs'], moved ? 0 : undefined, outcome);
  }
  const { look, lines } = house({ replicate: () => ({ written: ['created'] }) });
  await look([change()]);
  t.notOk('lagMs' in (lines[0] ?? {}), 'without an audit time there is none');
});

t.test('what was equal already is kept; a sweep finds that so often that it is told on debug only', async (t) => {
  for (const [origin, level] of [
    ['audit', 'info'],
    ['operator', 'info'],
    ['sweep', 'debug'],
  ] as const) {
    const { look, lines, counted } = house();
    const message = change({ origin });
    t.same(await look([message]), { acknowledge: [message], hide: [], wait: [] });
    t.match(lines, [{ level, event: 'secret.kept', ref: 'kv/app', destination: 'default', origin }]);
    t.same(counted, ['default unchanged']);
  }
});

t.test('a message whose version Vault has not answered with yet is held', async (t) => {
  const { look, lines, counted } = house({ replicate: () => ({ behindHint: true }) });
  const message = change(hint(9, '50'));
  const { acknowledge, wait } = await look([message]);
  t.same(acknowledge, []);
  t.match(wait, [{ messages: [message] }]);
  t.match(lines.at(-1), { level: 'info', event: 'secret.held', code: 'source_stale', text: /version 9 of kv\/app/ });
  t.ok(counted.includes('failed source_stale'));
});

t.test('going back on purpose is told', async (t) => {
  const { look, lines } = house({ replicate: () => ({ written: ['updated'], wentBack: true }) });
  await look([change()]);
  t.match(lines.at(-1), { level: 'warn', event: 'secret.went_back', ref: 'kv/app', code: 'source_stale' });
});

t.test('what cannot be read is parked with its code, while the others go on', async (t) => {
  const { look, orders, letters, lines, counted } = house();
  const bodies = [
    'canary, no JSON',
    '{"v":1,"canary":1}',
    changeBody({ vault: 'other' }),
    changeBody().replace('"v":1', '"v":2'),
    '[]',
  ];
  const bad = bodies.map((body) => received(body, { receives: 4 }));
  const good = change();
  const { acknowledge, hide } = await look([...bad, good]);
  t.same(new Set(acknowledge), new Set([...bad, good]));
  t.same(hide, []);
  t.equal(orders.length, 1);
  t.same(
    letters.sent.map(({ body, group }) => [body, group]),
    bad.map(({ body, id }) => [body, id]),
  );
  for (const { attributes } of letters.sent) {
    t.match(attributes, { code: 'message_malformed', receives: '4', time: '2026-11-24T21:40:00.000Z' });
    t.notOk('ref' in (attributes ?? {}));
  }
  const parked = lines.filter(({ event }) => event === 'secret.parked');
  t.match(parked[0], { level: 'warn', code: 'message_malformed', receives: 4, id: bad[0]?.id });
  t.notMatch(JSON.stringify([lines, letters.sent.map(({ attributes }) => attributes)]), /canary/);
  t.equal(counted.filter((name) => name === 'failed message_malformed').length, 5);
});

t.test('a permanent failure is parked once, by the newest letter, and all messages are done', async (t) => {
  for (const code of ['not_owned', 'value_too_large', 'source_forbidden', 'destination_forbidden'] as const) {
    const { look, letters, lines, counted } = house({ replicate: failing(code) });
    const messages = [
      change({ origin: 'sweep' }),
      change(hint(1, '01')),
      change({ origin: 'operator' }),
      change({ origin: 'sweep' }),
    ];
    const { acknowledge, hide } = await look(messages);
    t.same(acknowledge, messages);
    t.same(hide, []);
    t.equal(letters.sent.length, 1);
    t.match(letters.sent[0], {
      ...{ body: messages[2]?.body, group: messages[2]?.id },
      attributes: { code, text: `text of ${code}`, ref: 'kv/app', receives: '1' },
    });
    t.match(lines, [{ level: 'warn', event: 'secret.parked', ref: 'kv/app', destination: 'default', code }]);
    t.same(counted, [`failed ${code}`, 'default parked']);
  }
});

t.test("a sweep's finding that fails for good is refused without a letter", async (t) => {
  const { look, letters, lines, counted } = house({ replicate: failing('not_owned') });
  const messages = [change({ origin: 'sweep' }), change({ origin: 'sweep' })];
  t.same(await look(messages), { acknowledge: messages, hide: [], wait: [] });
  t.same(letters.sent, []);
  t.match(lines, [
    { level: 'warn', event: 'secret.refused', ref: 'kv/app', code: 'not_owned', text: 'text of not_owned' },
  ]);
  t.same(counted, ['failed not_owned', 'default refused']);
});

t.test('a copy that was released is refused without a letter, whoever sent the message', async (t) => {
  for (const origin of ['audit', 'operator', 'sweep'] as const) {
    const { look, letters, lines, counted } = house({ replicate: failing('released') });
    const messages = [change({ origin })];
    t.same(await look(messages), { acknowledge: messages, hide: [], wait: [] });
    t.same(letters.sent, []);
    t.match(lines, [{ level: 'warn', event: 'secret.refused', ref: 'kv/app', code: 'released' }]);
    t.same(counted, ['failed released', 'default refused']);
  }
});

const secondsOf = (wait: Wait | undefined): number => (wait !== undefined && 'seconds' in wait ? wait.seconds : -1);

t.test('what failed for now waits longer and longer: here, or at SQS where receives should count', async (t) => {
  for (const [code, level] of [
    ['source_unavailable', 'warn'],
    ['destination_throttled', 'info'],
    ['source_stale', 'info'],
    ['promotion_conflict', 'warn'],
  ] as const) {
    const delays: number[] = [];
    for (const receives of [1, 2, 3, 4, 9]) {
      const { look, lines, letters } = house({ replicate: failing(code) });
      const messages = [change({}, { receives }), change({}, { receives: receives + 5 })];
      const { acknowledge, hide, wait = [] } = await look(messages);
      t.same(acknowledge, []);
      t.equal(hide.length, code === 'promotion_conflict' ? 1 : 0);
      const [held] = [...hide, ...wait];
      t.same(held?.messages, messages);
      const seconds = secondsOf(held);
      t.match(lines, [{ level, event: 'secret.held', ref: 'kv/app', code, seconds }]);
      t.same(letters.sent, []);
      delays.push(seconds);
    }
    for (const [index, due] of [1, 2, 4, 8, 30].entries()) {
      const base = code === 'source_stale' ? Math.min(due, 5) : due; // a secret's later writes wait behind it
      const delay = delays[index] ?? -1;
      t.ok(delay >= base && delay <= base * 1.5 + 0.5, `${delay} s after some ${base}`);
    }
  }
});

t.test('what waits here waits longer after each look that failed, though it is not received again', async (t) => {
  const { look, letters, clock } = house({ replicate: failing('destination_unavailable') });
  clock.stall(16 * MINUTE);
  const message = change();
  const delays: number[] = [];
  for (let looks = 1; looks < 10; looks += 1) {
    delays.push(secondsOf((await look([message])).wait?.[0]));
  }
  t.ok((delays[0] ?? 0) <= 2 && (delays[8] ?? 0) >= 30, delays.join());
  t.same(letters.sent, []);
  t.same((await look([message])).acknowledge, [message]);
  t.match(letters.sent, [{ attributes: { code: 'destination_unavailable', receives: '1' } }]);
});

t.test(
  'when writes of many copies fail at a destination that answers, none is parked before one succeeds',
  async (t) => {
    let failing = true;
    const fails = new ReplicationError('destination_unavailable', 'PutSecretValue');
    const { look, letters, clock } = house({ replicate: () => (failing ? fails : { written: ['updated'] }) });
    clock.stall(60 * MINUTE);
    const old = { receives: 50 };
    for (const path of ['a', 'b', 'c', 'd', 'a']) await look([change({ path }, path < 'c' ? {} : old)]);
    t.same(letters.sent, []);
    failing = false;
    await look([change({ path: 'a' })]);
    failing = true;
    await look([change({ path: 'b' }, old)]);
    t.equal(letters.sent.length, 1, 'its own trouble again');
  },
);

t.test('an error that knows when waits until then', async (t) => {
  const { look } = house({ replicate: () => new ReplicationError('version_budget', 'text', undefined, 300) });
  t.match(await look([change()]), { wait: [{ seconds: 300 }] });
});

t.test(
  'what keeps failing is parked after ten receives and fifteen minutes, not before, and no hold ever',
  async (t) => {
    const outcome = async (code: FailureCode, receives: number, age: number) => {
      const { look, letters, clock } = house({ replicate: failing(code) });
      clock.stall(age);
      await look([change({}, { receives })]);
      return letters.sent[0]?.attributes?.['code'] ?? 'later';
    };
    t.equal(await outcome('source_unavailable', 10, 16 * MINUTE), 'source_unavailable');
    t.equal(await outcome('source_unavailable', 9, 60 * MINUTE), 'later');
    t.equal(await outcome('source_unavailable', 90, 15 * MINUTE), 'later');
    t.equal(await outcome('internal', 10, 16 * MINUTE), 'internal');
    t.equal(await outcome('destination_throttled', 90, 600 * MINUTE), 'later');
    t.equal(await outcome('source_stale', 90, 600 * MINUTE), 'later');
  },
);

t.test('a message that came later does not park what it came to, nor hide how old the oldest is', async (t) => {
  const { look, letters, clock } = house({ replicate: failing('source_unavailable') });
  clock.stall(20 * MINUTE);
  await look([change({}, { receives: 30 }), change({}, { receives: 1, sentAt: clock.now() })]);
  t.same(letters.sent, []);
});

t.test('a letter that cannot be sent leaves its messages where they are, for longer and longer', async (t) => {
  for (const fault of [
    { call: () => true },
    { entry: () => ({ forGood: false }) },
    { entry: () => ({ forGood: true }) },
  ]) {
    const { look, letters, lines, counted } = house({ replicate: failing('not_owned') });
    Object.assign(letters.faults, fault);
    const good = sweepRequest();
    for (const [receives, least] of [
      [1, 2],
      [5, 32],
      [60, 300],
    ] as const) {
      const message = change({}, { receives });
      const { acknowledge, hide } = await look([message, good]);
      t.same(acknowledge, [good], 'the others of its group are settled');
      const { seconds = 0 } = hide[0] ?? {};
      t.ok(seconds >= least && seconds <= least * 1.5, `${seconds} s after ${receives} receives`);
      t.same(hide, [{ messages: [message], seconds }]);
    }
    t.match(lines[0], { level: 'warn', event: 'secret.held', code: 'not_owned', err: { code: 'queue_unavailable' } });
    t.same(letters.sent, []);
    t.same(new Set(counted), new Set(['failed not_owned']), 'not counted as parked');
  }
});

t.test('a parked message gets a fresh id at each parking', async (t) => {
  const { look, letters } = house({ replicate: failing('not_owned') });
  const message = change();
  await look([message]);
  await look([{ ...message, receives: 2 }]);
  await look([{ ...message, receives: 2 }]);
  t.equal(letters.sent.length, 2, 'a retry of the same parking is one letter');
});

t.test('an unexpected error becomes internal, without its text', async (t) => {
  for (const thrown of [new TypeError('canary'), 'canary']) {
    const { look, lines, counted } = house({ replicate: () => thrown });
    const { hide } = await look([change()]);
    t.equal(hide.length, 1);
    t.match(lines, [{ level: 'warn', event: 'secret.held', code: 'internal', text: /unexpected (TypeError|error)/ }]);
    t.notMatch(JSON.stringify(lines), /canary/);
    t.same(counted, ['failed internal', 'default held']);
  }
});

t.test('what no route leads to its destination any more is unrouted', async (t) => {
  for (const more of [{ mount: 'gone' }, { destination: 'gone' }, { path: 'secret/x' }]) {
    const { look, letters, orders } = house();
    await look([change(more)]);
    t.match(letters.sent, [{ attributes: { code: 'unrouted', text: /no route leads/ } }]);
    t.same(orders, []);
  }
});

t.test('one failure holds up only its own copy', async (t) => {
  const { look } = house({
    replicate: ({ ref }) =>
      ref.path === 'a' ? new ReplicationError('source_unavailable', 'text') : { written: ['created'] },
  });
  const [a, b] = [change({ path: 'a' }), change({ path: 'b' })];
  const { acknowledge, wait } = await look([a, b]);
  t.same(acknowledge, [b]);
  t.match(wait, [{ messages: [a] }]);
});

t.test('requests for a sweep go to the sweep, all together, and their settlement is kept', async (t) => {
  const asked: number[] = [];
  const { look } = house({
    sweep: async (requests) => {
      asked.push(requests.length);
      const [first, ...rest] = requests.map(({ received }) => received);
      return { acknowledge: first === undefined ? [] : [first], hide: [{ messages: rest, seconds: 7 }] };
    },
  });
  const [one, two, other] = [sweepRequest(), sweepRequest(), change()];
  const { acknowledge, hide } = await look([one, two, other]);
  t.same(asked, [2]);
  t.same(new Set(acknowledge), new Set([one, other]));
  t.same(hide, [{ messages: [two], seconds: 7 }]);
});

/** Fails as long as the part of that name is down. */
const whileDown = (part: string, outages: () => ReadonlyMap<string, unknown>) => () =>
  outages().has(part) ? unreachable(part) : ({ written: ['updated'] } as const);

t.test('in an outage that leaves nothing to do the look waits where it is, and then looks again', async (t) => {
  for (const part of ['vault', 'destinations.default']) {
    let down: ReadonlyMap<string, unknown> = new Map();
    const { look, outages, clock, orders, events, counted } = house({ replicate: whileDown(part, () => down) });
    down = outages.down;
    outages.down.set(part, unreachable(part));
    const message = change({}, { receives: 90, sentAt: START - 60 * MINUTE });
    const settled = look([message]);
    await clock.advance(30 * MINUTE);
    t.equal(orders.length, 1, 'it is not tried while the part is down');
    outages.down.clear();
    await clock.advance(15_000);
    t.same(await settled, { acknowledge: [message], hide: [], wait: [] });
    t.equal(orders.length, 2);
    t.same(events(), ['consumer.paused', 'consumer.resumed', 'secret.replicated']);
    t.equal(counted[0], `failed ${part === 'vault' ? 'source_unavailable' : 'destination_unavailable'}`);
  }
});

t.test('what is in hand when the gate closes is not tried before it opens', async (t) => {
  const { look, gate, outages, clock, orders } = house();
  outages.down.set('vault', unreachable('vault'));
  await gate.suspect('vault');
  const settled = look([change()]);
  await clock.advance(MINUTE);
  t.equal(orders.length, 0);
  outages.down.clear();
  await clock.advance(15_000);
  t.equal((await settled).acknowledge.length, 1);
});

t.test('a stop gives back at once what waits for the gate', async (t) => {
  const { look, outages, clock, stopping, letters } = house({ replicate: failing('source_unavailable') });
  outages.down.set('vault', unreachable('vault'));
  const messages = [change(), change()];
  const settled = look(messages);
  await clock.advance(MINUTE);
  stopping.abort();
  t.same(await settled, { acknowledge: [], hide: [{ messages, seconds: 0 }], wait: [] });
  t.same(letters.sent, []);
});

t.test(
  'with one of two destinations down only its own messages wait, untried from then on, and never parked',
  async (t) => {
    const { look, outages, clock, orders, letters, lines } = house({
      destinations: ['default', 'other'],
      replicate: failing('destination_unavailable'),
    });
    outages.down.set('destinations.other', unreachable('destinations.other'));
    clock.stall(60 * MINUTE);
    const message = change({ destination: 'other' }, { receives: 90 });
    const waiting = { acknowledge: [], hide: [], wait: [{ messages: [message], part: 'destinations.other' }] };
    t.same(await look([message]), waiting);
    t.same(await look([message]), waiting);
    t.equal(orders.length, 1);
    t.same(letters.sent, []);
    t.match(await look([change({}, { receives: 2 })]), { hide: [], wait: [{ seconds: Number }] }, 'the other is up');
    t.match(lines[0], { event: 'consumer.paused', reason: 'destinations.other' });
  },
);

t.test('a failure of a part that answers is an ordinary one', async (t) => {
  for (const code of ['source_unavailable', 'destination_unavailable'] as const) {
    const { look, outages, events } = house({ replicate: failing(code) });
    t.match(await look([change()]), { wait: [{ seconds: Number }] });
    t.same(events(), ['secret.held']);
    t.equal(outages.asked.size, 1, 'the part that failed is asked, and no other');
  }
  for (const code of ['not_owned', 'destination_throttled', 'internal'] as const) {
    const { look, outages } = house({ replicate: failing(code) });
    outages.down.set('vault', unreachable('vault'));
    await look([change()]);
    t.equal(outages.asked.size, 0, `${code} makes nothing suspect`);
  }
});
