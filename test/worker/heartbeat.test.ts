import t from 'tap';
import type { Inbox, Received } from '../../src/queue/ports.ts';
import { startHeartbeat } from '../../src/worker/heartbeat.ts';
import { createInFlight } from '../../src/worker/in-flight.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { createFakeQueue } from '../fakes/queue.ts';

const message = (number: number): Received => {
  const id = String(number);
  return { id, receipt: id, body: '', group: id, receives: 1, sentAt: 0 };
};

function house(hide: Inbox['hide']) {
  const clock = manualClock();
  const { log, lines } = recordingLog();
  const inFlight = createInFlight(clock);
  const stopping = new AbortController();
  const inbox = { ...createFakeQueue(clock).inbox, hide };
  const { ended, quiet } = startHeartbeat({ inbox, clock, log, visibility: 30_000 }, inFlight, stopping.signal);
  return { clock, lines, inFlight, stopping, ended, quiet };
}

t.test('no batch of a beat waits for another: what is given back meanwhile is not hidden again', async (t) => {
  const sent: string[][] = [];
  const { clock, inFlight, stopping, ended } = house((messages, seconds) => {
    t.equal(seconds, 30);
    sent.push(messages.map(({ id }) => id));
    return new Promise(() => undefined); // SQS hangs
  });
  const messages = Array.from({ length: 25 }, (_, number) => message(number));
  inFlight.add(messages);
  await clock.advance(10_000);
  t.same(
    sent.map((batch) => batch.length),
    [10, 10, 5],
  );
  t.same(
    sent.flat(),
    messages.map(({ id }) => id),
  );
  inFlight.remove(messages);
  await clock.advance(60_000);
  t.equal(sent.length, 3);
  stopping.abort();
  t.equal(clock.sleepers, 0);
  void ended;
});

t.test('a batch that fails is told once, takes no other with it, and the next beat comes', async (t) => {
  let calls = 0;
  const { clock, inFlight, stopping, ended, lines } = house(async () => {
    calls += 1;
    if (calls <= 2) throw new Error('text');
  });
  inFlight.add(Array.from({ length: 25 }, (_, number) => message(number)));
  await clock.advance(10_000);
  t.equal(calls, 3);
  t.match(lines, [{ level: 'warn', event: 'queue.heartbeat_failed' }]);
  t.equal(lines.length, 1);
  await clock.advance(10_000);
  t.equal(calls, 6);
  stopping.abort();
  await ended;
});

t.test('whoever waits for quiet goes on after the beat that is on its way', async (t) => {
  let answer = () => {};
  const { clock, inFlight, stopping, ended, quiet } = house(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  await quiet();
  inFlight.add([message(1)]);
  await clock.advance(10_000);
  let isQuiet = false;
  const waiting = quiet().then(() => {
    isQuiet = true;
  });
  await clock.advance(1_000);
  t.equal(isQuiet, false);
  answer();
  await waiting;
  stopping.abort();
  await ended;
});
