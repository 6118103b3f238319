import t from 'tap';
import type { Received } from '../../src/queue/ports.ts';

import { createGate } from '../../src/worker/gate.ts';
import { createInFlight } from '../../src/worker/in-flight.ts';
import { createWaitingRoom } from '../../src/worker/waiting.ts';
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
  const { inbox } = queue;
  const resumed: string[] = [];
  const resume = (messages: readonly Received[]) => {
    resumed.push(...messages.map(({ group }) => group));
  };
  const quiet = () => slow.answered ?? Promise.resolve();
  const room = createWaitingRoom({ inbox, gate, clock, log, visibility: 30_000, resume, quiet }, inFlight, signal);
  const receive = async () => {
    const messages = await queue.inbox.receive(10);
    inFlight.add(messages);
    return messages;
  };
  await queue.publisher.send(groups.map((group) => ({ group, body: group, deduplicationId: group })));
  const messages = await receive();
  for (const part of [A, B]) outages.down.set(part, unreachable(part));
  await gate.suspect(A);
  await gate.suspect(B);
  /** Groups that anybody could receive now. */
  const visible = () => queue.stored().flatMap(({ group, hiddenUntil }) => (hiddenUntil <= clock.now() ? [group] : []));
  const receives = () => queue.stored().map((message) => message.receives);
  const house = { clock, queue, outages, gate, events, stopping, inFlight, room, messages, resumed, slow, visible };
  return { ...house, receive, receives };
}

t.test('what waits for a part stays hidden without a receive, and is looked at once the part is up', async (t) => {
  const { clock, room, messages, outages, visible, inFlight, receives, resumed } = await house(['1', '2', '3']);
  await room.wait({ messages: messages.slice(0, 2), part: A });
  await room.wait({ messages: messages.slice(2), part: A });
  await clock.advance(600 * MINUTE);
  t.same(visible(), []);
  t.same(receives(), [1, 1, 1]);
  t.equal(inFlight.waiting, 3);
  outages.down.delete(A);
  await clock.advance(15_000);
  t.same(resumed, ['1', '2', '3']);
  t.same(visible(), []);
  t.equal(inFlight.waiting, 0);
  t.equal(inFlight.extendable(0).length, 3, 'they are in flight, for the common heartbeat');
});

t.test('what waits for a time stays hidden without a receive, and is looked at when it is over', async (t) => {
  const { clock, room, messages, visible, receives, resumed, inFlight } = await house(['1', '2']);
  await room.wait({ messages: messages.slice(0, 1), seconds: 300 });
  await room.wait({ messages: messages.slice(1), seconds: 2.5 });
  await clock.advance(2_499);
  t.same(resumed, []);
  await clock.advance(1);
  t.same(resumed, ['2']);
  await clock.advance(297_499);
  t.same([resumed, inFlight.waiting], [['2'], 1]);
  await clock.advance(1);
  t.same(resumed, ['2', '1']);
  t.same(visible(), ['2'], 'nobody looks at it in this test; the other is hidden for a look to begin');
  t.same(receives(), [1, 1]);
});

t.test('should this process die, they come back within five minutes', async (t) => {
  const { clock, room, messages, queue } = await house(['1']);
  await room.wait({ messages, part: A });
  for (let minutes = 0; minutes < 30; minutes += 1) {
    await clock.advance(MINUTE);
    t.ok((queue.stored()[0]?.hiddenUntil ?? 0) <= clock.now() + 5 * MINUTE);
  }
});

t.test('each part has its own, and may be down again later', async (t) => {
  const { clock, room, messages, outages, resumed, gate } = await house(['1', '2']);
  const two = messages.slice(1);
  await room.wait({ messages: messages.slice(0, 1), part: A });
  await room.wait({ messages: two, part: B });
  outages.down.delete(B);
  await clock.advance(15_000);
  t.same(resumed, ['2']);
  outages.down.set(B, unreachable(B));
  await gate.suspect(B);
  await room.wait({ messages: two, part: B });
  await clock.advance(MINUTE);
  t.same(resumed, ['2']);
  outages.down.clear();
  await clock.advance(15_000);
  t.same(resumed.slice(1).sort(), ['1', '2']);
});

t.test('nothing is extended past 11 hours; then it comes again by itself, and is not ours any more', async (t) => {
  const { clock, room, messages, visible, outages, resumed, inFlight } = await house(['1']);
  await room.wait({ messages, part: A });
  await clock.advance(655 * MINUTE);
  t.same(visible(), []);
  await clock.advance(6 * MINUTE);
  t.same([visible(), inFlight.waiting], [['1'], 0]);
  outages.down.clear();
  await clock.advance(15_000);
  t.same(resumed, []);
});

t.test('what would wait past 11 hours waits at SQS', async (t) => {
  const { clock, room, messages, inFlight, visible, resumed, queue } = await house(['1', '2']);
  for (let minutes = 0; minutes < 656; minutes += 4) {
    await clock.advance(4 * MINUTE);
    await queue.inbox.hide(messages, 300); // the heartbeat of looks that go on for hours
  }
  await room.wait({ messages: messages.slice(0, 1), seconds: 300 });
  await room.wait({ messages: messages.slice(1), part: A });
  t.equal(inFlight.waiting, 0);
  await clock.advance(10 * MINUTE);
  t.same([visible(), resumed], [['1', '2'], []]);
});

t.test('nothing is hidden before a heartbeat that is on its way has come to its end', async (t) => {
  const { clock, room, messages, slow, queue } = await house(['1']);
  let beat = () => {};
  slow.answered = new Promise((resolve) => {
    beat = resolve;
  });
  const waiting = room.wait({ messages, part: A });
  await clock.advance(1_000);
  await queue.inbox.hide(messages, 30); // the beat takes effect
  beat();
  await waiting;
  t.ok((queue.stored()[0]?.hiddenUntil ?? 0) >= clock.now() + 299_000);
});

t.test('each wait at SQS is longer than the one before, up to an hour, so that receives last', async (t) => {
  const { clock, room, messages, inFlight, queue } = await house(['1', '2', '3']);
  const others = Array.from({ length: 2_000 }, (_, id): Received => ({ ...FAR, id: `far-${id}` }));
  inFlight.setAside(others, 'something else');
  const waits: number[] = [];
  for (const [index, receives] of [3, 50, 2].entries()) {
    const message = messages.slice(index, index + 1).map((one) => ({ ...one, receives }));
    inFlight.add(message);
    await room.wait(index < 2 ? { messages: message, part: A } : { messages: message, seconds: 10 });
    waits.push(((queue.stored()[index]?.hiddenUntil ?? 0) - clock.now()) / 1000);
  }
  t.same(waits, [900, 3_600, 120]);
});

t.test('past two thousand they wait at SQS: longer, and at the cost of a receive', async (t) => {
  const { clock, room, messages, inFlight, visible, receives, resumed } = await house(['1', '2']);
  const others = Array.from({ length: 1_999 }, (_, id): Received => ({ ...FAR, id: `far-${id}` }));
  inFlight.setAside(others, 'something else');
  await room.wait({ messages: messages.slice(0, 1), seconds: 600 });
  t.equal(inFlight.waiting, 2_000);
  await room.wait({ messages: messages.slice(1), seconds: 1 });
  t.equal(inFlight.waiting, 2_000);
  await clock.advance(59_999);
  t.same(visible(), []);
  await clock.advance(1);
  t.same(visible(), ['2']);
  t.same([receives(), resumed], [[1, 1], []]);
});

const FAR = { receipt: 'far', body: '', group: 'far', receives: 1, sentAt: 0 };

t.test('a stop gives everything back, also what comes to wait after it', async (t) => {
  const { clock, room, messages, stopping, visible, resumed } = await house(['1', '2', '3', '4']);
  await room.wait({ messages: messages.slice(0, 1), part: A });
  await room.wait({ messages: messages.slice(1, 2), seconds: 100 });
  stopping.abort();
  await room.ended();
  t.same(visible(), ['1', '2']);
  await room.wait({ messages: messages.slice(2, 3), part: A });
  await room.wait({ messages: messages.slice(3), seconds: 100 });
  t.same(visible(), ['1', '2', '3', '4']);
  t.equal(clock.sleepers, 0);
  t.same(resumed, []);
});

t.test('what cannot be given back at once is given back at the second try', async (t) => {
  const { room, messages, stopping, visible, queue, events } = await house(['1']);
  await room.wait({ messages, part: A });
  let calls = 0;
  queue.faults.call = (operation) => {
    calls += operation === 'hide' ? 1 : 0;
    return calls === 1;
  };
  stopping.abort();
  await room.ended();
  t.same([visible(), events().includes('queue.unsettled')], [['1'], false]);
});

t.test('a part that is up by now leaves nothing behind', async (t) => {
  const { clock, room, messages, outages, resumed, inFlight } = await house(['1']);
  outages.down.clear();
  await clock.advance(15_000);
  await room.wait({ messages, part: A });
  await room.ended();
  t.same([resumed, inFlight.waiting], [['1'], 0]);
});

t.test('what cannot be hidden comes again by itself, and is told', async (t) => {
  const { clock, room, messages, queue, events, visible } = await house(['1', '2']);
  queue.faults.call = (operation) => operation === 'hide';
  await room.wait({ messages: messages.slice(0, 1), part: A });
  await room.wait({ messages: messages.slice(1), seconds: 600 });
  await clock.advance(31_000);
  t.same(visible(), ['1', '2']);
  t.equal(events().filter((event) => event === 'queue.unsettled').length, 2);
});

t.test('what was received again meanwhile is not looked at twice', async (t) => {
  const { clock, room, messages, receive, resumed, queue, inFlight } = await house(['1', '2']);
  queue.faults.call = (operation) => operation === 'hide';
  await room.wait({ messages, seconds: 40 });
  queue.faults.call = undefined;
  await clock.advance(31_000);
  const [again] = await receive();
  t.equal(again?.receives, 2);
  await clock.advance(10_000);
  t.same([resumed, inFlight.waiting], [[], 0]);
});
