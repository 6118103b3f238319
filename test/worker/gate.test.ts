import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { createGate } from '../../src/worker/gate.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createOutages, unreachable } from '../fakes/outages.ts';

const [A, B] = ['destinations.a', 'destinations.b'];

function house(parts: readonly string[] = ['vault', A, B]) {
  const clock = manualClock();
  const outages = createOutages(parts);
  const { log, lines, events } = recordingLog();
  const stopping = new AbortController();
  const gate = createGate({ probes: outages.probes, clock, log, signal: stopping.signal });
  const fall = (...some: readonly string[]) => {
    for (const part of some) outages.down.set(part, unreachable(part));
    return Promise.all(some.map(gate.suspect));
  };
  return { clock, outages, lines, events, stopping, gate, fall };
}

/** Whether the promise has resolved by now. */
async function isDone(promise: Promise<unknown>, { advance }: { advance(ms: number): Promise<void> }) {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await advance(0);
  return done;
}

const never = new AbortController().signal;

t.test('it is open as long as Vault and any destination are up', async (t) => {
  const table: readonly [down: readonly string[], closed: boolean][] = [
    [[], false],
    [['vault'], true],
    [[A], false],
    [[B], false],
    [[A, B], true],
    [['vault', A], true],
  ];
  for (const [down, closed] of table) {
    const { gate, fall, clock, stopping } = house();
    await fall(...down);
    t.equal(gate.closed(), closed, down.join(' '));
    t.equal(await isDone(gate.open(never), clock), !closed);
    t.same(
      [...gate.parts()],
      ['vault', A, B].map((part) => [part, down.includes(part)]),
    );
    stopping.abort();
  }
  t.equal(house(['vault']).gate.closed(), false, 'without any destination');
});

t.test('a part that answers is not down, and nothing is told', async (t) => {
  const { gate, lines, outages } = house();
  t.equal(await gate.suspect('vault'), false);
  t.equal(gate.isDown('vault'), false);
  t.equal(await gate.suspect('unknown'), false);
  t.equal(outages.asked.get('vault'), 1);
  t.same(lines, []);
});

t.test('to refuse is to answer; any other failure is not', async (t) => {
  const table: readonly [unknown, boolean][] = [
    [new ReplicationError('destination_throttled', 'text'), false],
    [new ReplicationError('destination_forbidden', 'text'), false],
    [new ReplicationError('destination_unavailable', 'text'), true],
    [new TypeError('text'), true],
  ];
  for (const [error, down] of table) {
    const { gate, outages, stopping } = house();
    outages.down.set(A, error);
    t.equal(await gate.suspect(A), down, String(error));
    stopping.abort();
  }
});

t.test('a part that does not answer within 4 s is down', async (t) => {
  for (const [part, code] of [
    ['vault', 'source_unavailable'],
    [A, 'destination_unavailable'],
  ] as const) {
    const { gate, outages, clock, lines, stopping } = house();
    outages.down.set(part, 'silent');
    const suspected = gate.suspect(part);
    await clock.advance(3_999);
    t.same(lines, []);
    await clock.advance(1);
    t.equal(await suspected, true);
    t.match(lines, [{ event: 'consumer.paused', reason: part, err: { code, message: /no answer within 4 s/ } }]);
    stopping.abort();
  }
});

t.test('whoever suspects at the same time asks once, and an outage is told once', async (t) => {
  const { gate, fall, outages, lines } = house();
  t.same(await fall('vault', 'vault', 'vault'), [true, true, true]);
  t.equal(outages.asked.get('vault'), 1);
  t.equal(await gate.suspect('vault'), true, 'known to be down, it is not asked again');
  t.equal(outages.asked.get('vault'), 1);
  t.match(lines, [{ level: 'warn', event: 'consumer.paused', reason: 'vault', err: { code: 'source_unavailable' } }]);
  t.equal(lines.length, 1);
});

t.test('it is asked again with growing pauses of 15 s at most, and is up as soon as it answers', async (t) => {
  const { gate, fall, outages, clock, lines, events } = house();
  await fall('vault');
  const opened = gate.open(never);
  await clock.advance(600_000);
  const asked = outages.asked.get('vault') ?? 0;
  t.ok(asked >= 600 / 15 && asked <= 45, `${asked} times in ten minutes`);
  t.equal(await isDone(opened, clock), false);
  outages.down.clear();
  await clock.advance(15_000);
  t.equal(await isDone(opened, clock), true);
  t.equal(gate.isDown('vault'), false);
  t.same(events(), ['consumer.paused', 'consumer.resumed']);
  const seconds = Number(lines[1]?.['seconds']);
  t.match(lines[1], { level: 'info', reason: 'vault' });
  t.ok(seconds >= 600 && seconds <= 615, `${seconds} s`);
  await fall('vault');
  t.same(events(), ['consumer.paused', 'consumer.resumed', 'consumer.paused'], 'the next outage is another one');
});

t.test('who waits for one part hears nothing of another', async (t) => {
  const { gate, fall, outages, clock } = house();
  await fall(A, B);
  const [up, opened] = [gate.up(A, never), gate.open(never)];
  outages.down.delete(B);
  await clock.advance(2_000);
  t.equal(await isDone(opened, clock), true, 'one destination is enough');
  t.equal(await isDone(up, clock), false);
  outages.down.delete(A);
  await clock.advance(20_000);
  t.equal(await isDone(up, clock), true);
});

t.test('a signal ends every wait and all probing', async (t) => {
  const { gate, fall, outages, clock, stopping, events } = house();
  await fall('vault', A);
  const waits = [gate.open(stopping.signal), gate.up(A, stopping.signal)];
  const other = gate.open(never);
  stopping.abort();
  for (const wait of waits) t.equal(await isDone(wait, clock), true);
  t.equal(await isDone(gate.open(stopping.signal), clock), true, 'also when it has aborted before');
  t.equal(await isDone(other, clock), false);
  const asked = outages.asked.get('vault');
  await clock.advance(60_000);
  t.equal(outages.asked.get('vault'), asked);
  t.equal(clock.sleepers, 0);
  t.same(events(), ['consumer.paused', 'consumer.paused']);
});
