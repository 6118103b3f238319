import t from 'tap';
import type { Received } from '../../src/queue/ports.ts';
import { createDeferral } from '../../src/worker/deferral.ts';
import { createGate } from '../../src/worker/gate.ts';
import { createInFlight } from '../../src/worker/in-flight.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createOutages, unreachable } from '../fakes/outages.ts';
import { createFakeQueue } from '../fakes/queue.ts';

const MINUTE = 60_000;
const [A, B] = ['destinations.a', 'destinations.b'];

async function house(groups: readonly string[]) {
  const clock = manualClock();
  const queue = createFakeQueue(clock);
  const { log, events } = recordingLog();
  const outages = createOutages(['vault', A, B]);
  const stopping = new AbortController();
  const { signal } = stopping;
  const gate = createGate({ probes: outages.probes, clock, log, signal });
  const inFlight = createInFlight(clock);
  const slow: { answered?: Promise<void> } = {};
  const inbox = {
    ...queue.inbox,
    async hide(messages: readonly Received[], seconds: number) {
      if (seconds > 0) await slow.answered;
      await queue.inbox.hide(messages, seconds);
    },
  };
  const deferral = createDeferral({ inbox, gate, clock, log }, inFlight, signal);
  await queue.publisher.send(groups.map((group) => ({ group, body: group, deduplicationId: group })));
  const messages = await queue.inbox.receive(10);
  inFlight.add(messages);
  for (const part of [A, B]) outages.down.set(part, unreachable(part));
  await gate.suspect(A);
  await gate.suspect(B);
  /** Groups that anybody could receive now. */
  const visible = () => queue.stored().flatMap(({ group, hiddenUntil }) => (hiddenUntil <= clock.now() ? [group] : []));
  return { clock, queue, outages, gate, events, stopping, inFlight, deferral, messages, slow, visible };
}

t.test('what waits for a part stays hidden without a receive, and is given back once the part is up', async (t) => {
  const { clock, deferral, messages, outages, visible, inFlight, queue } = await house(['1', '2', '3']);
  await deferral.defer(messages.slice(0, 2), A);
  await deferral.defer(messages.slice(2), A);
  await clock.advance(600 * MINUTE);
  t.same(visible(), []);
  t.same(
    queue.stored().map(({ receives }) => receives),
    [1, 1, 1],
  );
  t.equal(inFlight.size, 3);
  outages.down.delete(A);
  await clock.advance(15_000);
  t.same(visible(), ['1', '2', '3']);
  t.equal(inFlight.size, 0);
});

t.test('should this process die, they come back within five minutes', async (t) => {
  const { clock, deferral, messages, queue } = await house(['1']);
  await deferral.defer(messages, A);
  for (let minutes = 0; minutes < 30; minutes += 1) {
    await clock.advance(MINUTE);
    t.ok((queue.stored()[0]?.hiddenUntil ?? 0) <= clock.now() + 5 * MINUTE);
  }
});

t.test('each part has its own, and may be down again later', async (t) => {
  const { clock, queue, deferral, messages, outages, visible, gate } = await house(['1', '2']);
  const [one, two] = [messages.slice(0, 1), messages.slice(1)];
  await deferral.defer(one, A);
  await deferral.defer(two, B);
  outages.down.delete(B);
  await clock.advance(15_000);
  t.same(visible(), ['2']);
  outages.down.set(B, unreachable(B));
  await gate.suspect(B);
  const again = await queue.inbox.receive(10);
  await deferral.defer(again, B);
  t.same(visible(), []);
  outages.down.clear();
  await clock.advance(15_000);
  t.same(visible(), ['1', '2']);
});

t.test('nothing is extended past 11 hours; then it comes again by itself', async (t) => {
  const { clock, deferral, messages, visible } = await house(['1']);
  await deferral.defer(messages, A);
  await clock.advance(655 * MINUTE);
  t.same(visible(), []);
  await clock.advance(6 * MINUTE);
  t.same(visible(), ['1']);
});

t.test('a stop gives everything back', async (t) => {
  const { clock, deferral, messages, stopping, visible } = await house(['1', '2']);
  await deferral.defer(messages, A);
  stopping.abort();
  await deferral.ended();
  t.same(visible(), ['1', '2']);
  t.equal(clock.sleepers, 0);
});

t.test('a part that is up by now leaves nothing behind', async (t) => {
  const { clock, deferral, messages, outages, visible } = await house(['1']);
  outages.down.clear();
  await clock.advance(15_000);
  await deferral.defer(messages, A);
  await deferral.ended();
  t.same(visible(), ['1']);
});

t.test('a part that comes back while its messages are being hidden leaves none behind', async (t) => {
  const { clock, deferral, messages, outages, visible, slow } = await house(['1']);
  let answer = () => {};
  slow.answered = new Promise((resolve) => {
    answer = resolve;
  });
  const deferred = deferral.defer(messages, A);
  outages.down.clear();
  await clock.advance(3_000);
  answer();
  await deferred;
  t.same(visible(), ['1']);
});

t.test('what cannot be hidden or given back comes again by itself', async (t) => {
  const { clock, deferral, messages, outages, queue, events, visible } = await house(['1']);
  queue.faults.call = (operation) => operation === 'hide';
  await deferral.defer(messages, A);
  outages.down.clear();
  await clock.advance(31_000);
  t.same(visible(), ['1']);
  t.equal(events().filter((event) => event === 'queue.unsettled').length, 2);
});
