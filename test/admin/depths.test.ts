import t from 'tap';
import { createDepths } from '../../src/admin/depths.ts';
import { manualClock } from '../fakes/clock.ts';

const attributes = (visible: number, inFlight: number, delayed: number) => ({
  attributes: {
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  },
});

t.test('both queues are counted by state; a letter in hand is a letter', async (t) => {
  const clock = manualClock();
  const depths = createDepths({
    queue: async () => attributes(7, 3, 1),
    deadLetters: async () => attributes(4, 2, 1),
    clock,
  });
  t.same(await depths(), { messages: { visible: 7, in_flight: 3, delayed: 1 }, deadLetters: 7 });
  t.equal(clock.sleepers, 0);
});

t.test('what SQS leaves out is none', async (t) => {
  const nothing = async () => ({ attributes: {} });
  const depths = createDepths({ queue: nothing, deadLetters: nothing, clock: manualClock() });
  t.same(await depths(), { messages: { visible: 0, in_flight: 0, delayed: 0 }, deadLetters: 0 });
});

t.test('an answer is good for 5 s', async (t) => {
  const clock = manualClock();
  let asked = 0;
  const queue = async () => {
    asked += 1;
    return attributes(asked, 0, 0);
  };
  const depths = createDepths({ queue, deadLetters: queue, clock });
  await Promise.all([depths(), depths()]);
  clock.stall(5_000);
  await depths();
  t.equal(asked, 2);
  clock.stall(1);
  t.match(await depths(), { messages: { visible: 3 }, deadLetters: 4 });
});

t.test('what is refused, or not answered within 2 s, is absent; the other queue is not', async (t) => {
  const clock = manualClock();
  const silent = () => new Promise<never>(() => undefined);
  const refused = async () => Promise.reject(new Error('text'));
  t.same(await createDepths({ queue: refused, deadLetters: async () => attributes(1, 0, 0), clock })(), {
    deadLetters: 1,
  });
  const late = createDepths({ queue: async () => attributes(1, 0, 0), deadLetters: silent, clock })();
  await clock.advance(2_000);
  t.same(await late, { messages: { visible: 1, in_flight: 0, delayed: 0 } });
});
