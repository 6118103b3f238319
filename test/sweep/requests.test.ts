import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import type { SweepMessage } from '../../src/queue/message.ts';
import type { Received } from '../../src/queue/ports.ts';
import type { SweepReport } from '../../src/sweep/report.ts';
import { createSweepServer } from '../../src/sweep/requests.ts';
import type { SweepOrder } from '../../src/sweep/sweep.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';

const HOUR = 3_600_000;
const DONE: SweepReport = {
  ...{ found: { eu: { in_sync: 2 } }, enqueued: 2, deleted: 1, held: { eu: 3 }, oldestDrift: 7 },
  permanent: { eu: [{ kind: 'conflict', ref: 'kv/a', secretName: 'kv/a', code: 'not_owned' }] },
  ...{ failed: [], again: false, down: [] },
};
const PARTIAL: SweepReport = { ...DONE, failed: ['kv'], again: true };

interface Settings {
  readonly minGap?: number;
  readonly run?: (run: number, order: SweepOrder, signal: AbortSignal) => Promise<SweepReport>;
  readonly depth?: () => Promise<{ visible: number; date: number }>;
}

function house({ minGap = 0, run = async () => DONE, depth }: Settings = {}) {
  const clock = manualClock();
  const { log, lines, events } = recordingLog();
  const ending = new AbortController();
  const state = {
    runs: 0,
    swept: [] as string[],
    owed: [] as string[],
    again: [] as string[],
    down: undefined as string | undefined,
  };
  const extended: string[] = [];
  const date = () => Math.floor(clock.now() / 1000) * 1000;
  const serve = createSweepServer(
    {
      waitsFor: () => state.down,
      visibility: 30_000,
      onceUp: (destination) => state.owed.push(destination),
      again: (reason, seconds) => state.again.push(`${reason} ${seconds}`),
      run(order, signal) {
        state.runs += 1;
        return run(state.runs, order, signal);
      },
      inbox: {
        depth: depth ?? (async () => ({ visible: 0, date: date() })),
        extend: async ({ id }, seconds) => void extended.push(`${id} ${seconds}`),
      },
      every: HOUR,
      minGap,
      clock,
      log,
      metrics: {
        swept: (reason, result, seconds, report) =>
          state.swept.push(`${reason} ${result} ${seconds}${report === undefined ? ' -' : ''}`),
      },
    },
    ending.signal,
  );
  let count = 0;
  /** A request as it stands on the queue, sent `ago` ms before now. */
  const request = (ago = 0, more: Partial<SweepMessage> = {}, receives = 1) => {
    count += 1;
    const received: Received = {
      id: `m${count}`,
      receipt: '',
      body: '',
      group: 'sweep-vault',
      receives,
      sentAt: clock.now() - ago,
    };
    return {
      received,
      message: { v: 1, kind: 'sweep', vault: 'vault', origin: 'timer', ...more } satisfies SweepMessage,
    };
  };
  return { clock, lines, events, ending, state, extended, serve, request };
}

t.test('one run serves every request in hand, and every older one that comes later', async (t) => {
  const { clock, serve, request, state } = house();
  const older = request(5_000);
  const requests = [request(3_000), request(0)];
  t.same(await serve(requests), { acknowledge: requests.map(({ received }) => received), hide: [] });
  t.same(await serve([older]), { acknowledge: [older.received], hide: [] });
  t.equal(state.runs, 1);
  await clock.advance(2_000);
  const later = request(0);
  await serve([later]);
  t.equal(state.runs, 2);
});

t.test('requests that come while it runs cause exactly one more', async (t) => {
  let finish = (_: SweepReport) => {};
  const { clock, serve, request, state } = house({
    run: (run) => (run === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(DONE)),
  });
  const running = serve([request()]);
  await clock.advance(10_000);
  const during = [request(8_000), request(4_000), request(1_000)];
  finish(DONE);
  await running;
  t.same((await serve(during.slice(0, 1))).acknowledge.length, 1);
  t.same((await serve(during.slice(1))).acknowledge.length, 2);
  t.equal(state.runs, 2);
});

t.test(
  "a request of the second in which the run began is not taken for an older one: SQS's date has whole seconds",
  async (t) => {
    const { clock, serve, request, state } = house();
    await clock.advance(300);
    const first = request(200);
    await clock.advance(500);
    await serve([first]);
    const next = request(100);
    await serve([next]);
    t.equal(state.runs, 2);
  },
);

t.test('at least minGap lies between two beginnings; the first one of a process does not wait', async (t) => {
  const { clock, serve, request, state } = house({ minGap: 60_000 });
  await serve([request()]);
  await clock.advance(15_500);
  const [served, next] = [request(60_000), request()];
  t.same(await serve([served, next]), {
    ...{ acknowledge: [served.received], hide: [] },
    wait: [{ messages: [next.received], seconds: 44.5 }],
  });
  await clock.advance(44_500);
  t.same((await serve([next])).acknowledge, [next.received]);
  t.equal(state.runs, 2);
});

t.test(
  'a run that failed keeps its requests waiting, ever longer, and lets them go in the end, with a word',
  async (t) => {
    const { serve, request, state, lines, clock } = house({
      run: async () => Promise.reject(new ReplicationError('queue_unavailable', 'no answer')),
    });
    const requests = [request(9_000, {}, 3), request(0, {}, 3)];
    const waits: number[] = [];
    for (let runs = 1; runs <= 10; runs += 1) {
      const { acknowledge, wait } = await serve(requests);
      t.same(acknowledge, []);
      t.match(wait, [{ messages: requests.map(({ received }) => received) }]);
      waits.push(wait?.[0] !== undefined && 'seconds' in wait[0] ? wait[0].seconds : Number.NaN);
      await clock.advance(60_000);
    }
    t.ok((waits[0] ?? 0) <= 2 && (waits.at(-1) ?? 0) >= 30, waits.join());
    t.match(lines.at(-1), { level: 'warn', event: 'sweep.failed', err: { code: 'queue_unavailable' } });
    t.equal(state.swept[0], 'timer failed 0 -');
    t.equal((await serve(requests)).acknowledge.length, 2);
    t.match(lines.at(-1), { level: 'error', event: 'sweep.given_up', reason: 'timer' });
    t.equal(state.runs, 10);
    await serve([request()]);
    t.equal(state.runs, 11, 'the next request begins anew');
  },
);

t.test('what could not be listed holds nothing up: another sweep is asked for, ever later', async (t) => {
  let report = PARTIAL;
  const { clock, serve, request, state } = house({ run: async () => report });
  for (let runs = 0; runs < 8; runs += 1) {
    await clock.advance(2_000);
    const asked = request();
    t.same(await serve([asked]), { acknowledge: [asked.received], hide: [] });
  }
  t.same(
    state.again,
    [30, 60, 120, 240, 480, 960, 1_800, 1_800].map((seconds) => `unlisted ${seconds}`),
  );
  t.same(state.swept[0], 'timer partial 0');
  for (const next of [DONE, PARTIAL, { ...PARTIAL, again: false }]) {
    report = next;
    await clock.advance(2_000);
    await serve([request()]);
  }
  t.equal(state.again.at(-1), 'unlisted 30');
  t.equal(state.again.length, 9, 'what no second try can list');
});

t.test('while Vault is down no run begins', async (t) => {
  const { serve, request, state } = house();
  state.down = 'vault';
  const asked = request();
  t.same(await serve([asked]), { acknowledge: [], hide: [], wait: [{ messages: [asked.received], part: 'vault' }] });
  t.equal(state.runs, 0);
});

t.test('a destination that was passed over is owed a sweep, and holds nothing up', async (t) => {
  const { serve, request, state } = house({ run: async () => ({ ...DONE, down: ['eu', 'us'] }) });
  const asked = request();
  t.same(await serve([asked]), { acknowledge: [asked.received], hide: [] });
  t.same(state.owed, ['eu', 'us']);
  t.same(state.swept, ['timer partial 0']);
});

t.test('a request that workers die of is let go before it begins once more', async (t) => {
  const { clock, serve, request, lines, state } = house();
  await serve([request(0, {}, 50)]);
  await clock.advance(2_000);
  const over = request(0, {}, 51);
  t.same(await serve([over]), { acknowledge: [over.received], hide: [] });
  t.equal(state.runs, 1);
  t.match(lines.at(-1), { level: 'error', event: 'sweep.given_up', reason: 'timer' });
});

t.test('when the queue does not tell its clock, no run begins, and the request waits', async (t) => {
  const { serve, request, state, lines } = house({
    depth: async () => Promise.reject(new ReplicationError('queue_unavailable', 'no answer')),
  });
  const asked = request();
  t.match(await serve([asked]), { acknowledge: [], wait: [{ messages: [asked.received] }] });
  t.equal(state.runs, 0);
  t.match(lines, [{ level: 'warn', event: 'sweep.failed', err: { code: 'queue_unavailable' } }]);
});

t.test('an unexpected error is told without its text', async (t) => {
  const { serve, request, lines } = house({ run: async () => Promise.reject(new RangeError('canary')) });
  await serve([request()]);
  t.match(lines.at(-1), { event: 'sweep.failed', err: { code: 'internal', message: /RangeError/ } });
  t.notMatch(String(lines.map(({ err }) => String(err))), /canary/);
  const odd = house({ run: () => Promise.reject('canary') });
  await odd.serve([odd.request()]);
  t.match(odd.lines.at(-1), { err: { message: /unexpected error/ } });
});

t.test('one that is ended for a shutdown gives its requests back at once', async (t) => {
  const { serve, request, ending, state, events } = house({
    run: async () => {
      ending.abort();
      throw ending.signal.reason;
    },
  });
  const asked = request();
  t.match(await serve([asked]), { acknowledge: [], wait: [{ messages: [asked.received], seconds: 0 }] });
  t.same([state.swept, events()], [[], ['sweep.started']], 'which is no failure');
});

t.test('beginning and end are logged with all reasons, each once, and the report', async (t) => {
  const { clock, serve, request, lines, state } = house({
    run: async () => {
      await clock.advance(1_500);
      return DONE;
    },
  });
  await serve([
    request(0, { origin: 'gap', reason: 'start,connection' }),
    request(0, { origin: 'gap', reason: 'connection' }),
    request(0),
    request(0, { origin: 'operator' }),
  ]);
  const reason = 'start,connection,timer,operator';
  t.match(lines, [
    { level: 'info', event: 'sweep.started', reason },
    {
      level: 'info',
      event: 'sweep.finished',
      reason,
      result: 'complete',
      seconds: 1.5,
      permanent: { eu: [{ kind: 'conflict', ref: 'kv/a', secretName: 'kv/a', code: 'not_owned' }] },
      ...{ found: { eu: { in_sync: 2 } }, enqueued: 2, deleted: 1, held: { eu: 3 }, oldestDriftSeconds: 7, failed: [] },
    },
  ]);
  t.same(state.swept, [`${reason} complete 1.5`]);
});

t.test('what was sent before a request in hand is served with it, in the same second too', async (t) => {
  const { clock, serve, request, state } = house();
  await clock.advance(500);
  const [older, inHand] = [request(200), request(100)];
  await serve([inHand]);
  t.same(await serve([older]), { acknowledge: [older.received], hide: [] });
  t.equal(state.runs, 1);
});

/** A house whose runs tell what is approved, and end with `report`. */
function approvedHouse(report: SweepReport) {
  const orders: SweepOrder[] = [];
  const seen: unknown[] = [];
  const run = async (_: number, order: SweepOrder) => {
    orders.push(order);
    seen.push(order.approvals('eu'));
    await order.extend();
    return report;
  };
  const { clock, serve, request, extended } = house({ run });
  return { clock, serve, request, extended, orders, seen };
}

const APPROVE = ['a', 'b'].map((path) => ({ ref: `kv/${path}`, versionId: 'v', mark: 'm' }));

t.test('approvals come with their requests, and are never taken for served', async (t) => {
  const { clock, serve, request, extended, orders, seen } = approvedHouse(PARTIAL);
  const late = request(0, { origin: 'operator', approve: APPROVE });
  await clock.advance(500);
  const first = request();
  await serve([first]);
  await serve([late]);
  t.same(seen, [[], APPROVE]);
  t.same(extended, [`${first.received.id} 60`, `${late.received.id} 60`]);
  await serve([request()]);
  t.same(seen, [[], APPROVE, APPROVE], 'what it has not acted upon is for the next sweep');
  await clock.advance(HOUR + 5_000);
  t.same(orders[1]?.approvals('eu'), [], 'an hour later it has lapsed, also for a run that goes on');
  const lapsed = request(HOUR + 2_000, { origin: 'operator', approve: APPROVE });
  await serve([lapsed]);
  t.same(seen.at(-1), []);
});

t.test('a sweep that leaves nothing over is the last that its approvals are for', async (t) => {
  for (const [report, left] of [
    [DONE, []],
    [PARTIAL, APPROVE],
    [{ ...DONE, down: ['us'] }, APPROVE],
  ] as const) {
    const { clock, serve, request, seen } = approvedHouse(report);
    const approved = request(0, { origin: 'operator', approve: APPROVE });
    await serve([approved]);
    await clock.advance(2_000);
    await serve([request()]);
    await serve([approved]);
    t.same(seen, [APPROVE, left, left], 'nor does SQS bring them back with the request');
    await serve([request(0, { origin: 'operator', approve: APPROVE })]);
    t.same(seen.at(-1), [...left, ...APPROVE], 'a new word is one');
  }
});

t.test('a word is used up once its deletion goes out at that destination', async (t) => {
  const { clock, serve, request, orders, seen } = approvedHouse(PARTIAL);
  const approved = request(0, { origin: 'operator', approve: APPROVE });
  await serve([approved]);
  const target = { route: 'kv', destination: 'eu', secretName: 'kv/a', group: 'g' };
  orders[0]?.onSent({ ref: { namespace: '', mount: 'kv', path: 'a' }, target, versionId: 'v', mark: 'm' });
  t.same(orders[0]?.approvals('eu'), APPROVE.slice(1));
  t.same(orders[0]?.approvals('us'), APPROVE);
  await clock.advance(2_000);
  await serve([approved]);
  t.same(seen.at(-1), APPROVE.slice(1));
});

t.test('a sweep that takes over a quarter of the time lets slots of the timer pass, and nothing else', async (t) => {
  let minutes = 20;
  const { clock, serve, request, state, lines } = house({
    run: async () => {
      await clock.advance(minutes * 60_000);
      return DONE;
    },
  });
  await serve([request()]);
  await clock.advance(45 * 60_000);
  const slot = request();
  t.same(await serve([slot]), { acknowledge: [slot.received], hide: [] });
  t.match(lines.at(-1), { level: 'info', event: 'sweep.stretched', reason: 'timer' });
  t.equal(state.runs, 1);
  minutes = 1;
  await serve([request(0, { origin: 'gap', reason: 'start' }), request()]);
  t.equal(state.runs, 2);
  await clock.advance(1_000);
  await serve([request()]);
  t.equal(state.runs, 3, 'a short one stretches nothing');
});

t.test('past the time that SQS lets a request be held, the run ends, and another is asked for', async (t) => {
  const { clock, serve, request, state, lines } = house({
    run: (_, __, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  });
  const asked = request();
  const served = serve([asked]);
  await clock.advance(10.8 * HOUR);
  t.same(state.again, []);
  await clock.advance(0.2 * HOUR);
  t.same(await served, { acknowledge: [asked.received], hide: [] });
  t.same([state.again, state.swept], [['unfinished 0'], ['timer partial 39240 -']]);
  t.match(lines.at(-1), {
    level: 'warn',
    event: 'sweep.finished',
    result: 'partial',
    text: /another sweep is asked for/,
  });
  t.equal(clock.sleepers, 0);
});
