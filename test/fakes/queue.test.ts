import t from 'tap';
import type { Outgoing, Received } from '../../src/queue/ports.ts';
import { manualClock } from './clock.ts';
import { createFakeQueue } from './queue.ts';

const HOUR = 3_600_000;

function house() {
  const clock = manualClock();
  const queue = createFakeQueue(clock, 30);
  let ids = 0;
  const send = (group: string, body: string, deduplicationId?: string) => {
    ids += 1;
    return queue.publisher.send([{ group, body, deduplicationId: deduplicationId ?? `id-${ids}` }]);
  };
  /** What can be received now, without waiting. */
  const receive = async (max = 10): Promise<Received[]> => {
    const poll = queue.inbox.receive(max);
    await clock.advance(0);
    await clock.advance(5_000);
    return poll;
  };
  const bodies = async (max?: number) => (await receive(max)).map(({ body }) => body);
  return { ...queue, clock, send, receive, bodies };
}

t.test('a group is closed while one of its messages is in flight; what comes together is in order', async (t) => {
  const { send, receive, bodies, inbox } = house();
  for (const [group, body] of ['a1', 'a2', 'b1', 'a3'].map((text) => [text.charAt(0), text] as const))
    await send(group, body);
  const [first, second, ...rest] = await receive(2);
  t.match([first, second, rest], [{ body: 'a1' }, { body: 'a2' }, []]);
  t.same(await bodies(), ['b1']);
  if (second !== undefined) await inbox.acknowledge([second]);
  t.same(await bodies(), [], 'a1 is still in flight');
  if (first !== undefined) await inbox.hide([first], 0);
  t.same(await bodies(), ['a1', 'a3']);
});

t.test('visibility passes by the clock, and each receive is counted', async (t) => {
  const { send, inbox, clock } = house();
  await send('a', '1');
  const [first] = await inbox.receive(10);
  t.match(first, { receives: 1 });
  const next = inbox.receive(10);
  await clock.advance(5_000);
  t.same(await next, [], 'a long poll waits five seconds');
  await clock.advance(24_000);
  const woken = inbox.receive(10);
  await clock.advance(1_000);
  t.match(await woken, [{ body: '1', receives: 2, id: first?.id }]);
});

t.test('a waiting poll gets what arrives', async (t) => {
  const { send, inbox, clock } = house();
  const polls = [inbox.receive(10), inbox.receive(10)];
  await clock.advance(1_000);
  await send('a', '1');
  await clock.advance(0);
  await send('b', '2');
  await clock.advance(0);
  const received = (await Promise.all(polls)).flat().map(({ body }) => body);
  t.same(received.sort(), ['1', '2']);
  t.equal(clock.sleepers, 0);
});

t.test('the same id within five minutes is one message, deleted or not, and per group', async (t) => {
  const { send, receive, inbox, clock, sent } = house();
  await send('a', '1', 'id');
  await inbox.acknowledge(await receive());
  await clock.advance(4 * 60_000);
  t.same(await send('a', '2', 'id'), [], 'taken, and dropped');
  await send('b', '3', 'id');
  await clock.advance(60_000);
  await send('a', '4', 'id');
  t.same(
    sent.map(({ body }) => body),
    ['1', '3', '4'],
  );
});

t.test('a stale receipt does nothing', async (t) => {
  const { send, inbox, clock, stored } = house();
  await send('a', '1');
  const first = await inbox.receive(10);
  await clock.advance(30_000);
  await inbox.acknowledge(first);
  t.equal(stored().length, 1, 'its time is over');
  const second = await inbox.receive(10);
  await inbox.hide(first, 0);
  await inbox.acknowledge(first);
  t.ok((stored()[0]?.hiddenUntil ?? 0) > clock.now(), 'it was received again');
  await inbox.acknowledge(second);
  t.same(stored(), []);
});

t.test('no flight is extended past twelve hours from its receive', async (t) => {
  const { send, inbox, clock, stored } = house();
  await send('a', '1');
  const received = await inbox.receive(10);
  await inbox.hide(received, 43_200);
  await clock.advance(11 * HOUR);
  await inbox.hide(received, 3_601);
  t.equal((stored()[0]?.hiddenUntil ?? 0) - clock.now(), HOUR);
});

t.test('a batch has its bounds, and an entry its characters', async (t) => {
  const { publisher, sent } = house();
  const message = (more: Partial<Outgoing>): Outgoing => ({ group: 'g', body: 'b', deduplicationId: 'd', ...more });
  const unavailable = { code: 'queue_unavailable' };
  await t.rejects(publisher.send([]), unavailable);
  await t.rejects(publisher.send(Array.from({ length: 11 }, () => message({}))), unavailable);
  const half = 'x'.repeat(128 * 1024);
  await t.rejects(publisher.send([message({ body: half }), message({ body: `${half}x` })]), unavailable);
  await t.rejects(publisher.send([message({ body: half, attributes: { text: half } })]), unavailable);
  for (const more of [
    { group: '' },
    { group: 'a b' },
    { deduplicationId: 'x'.repeat(129) },
    { body: '' },
    { body: '\uFFFE' },
    { attributes: { text: '' } },
  ]) {
    t.same(await publisher.send([message(more)]), [{ index: 0, forGood: true }], JSON.stringify(more));
  }
  t.same(sent, []);
});

t.test('failures on demand', async (t) => {
  const { publisher, inbox, faults, sent } = house();
  faults.call = (operation) => operation === 'depth';
  await t.rejects(inbox.depth(), { code: 'queue_unavailable' });
  faults.call = undefined;
  faults.entry = ({ body }) => (body === '2' ? { forGood: false } : undefined);
  const batch = ['1', '2', '3'].map((body) => ({ group: 'g', body, deduplicationId: body }));
  t.same(await publisher.send(batch), [{ index: 1, forGood: false }]);
  t.same(
    sent.map(({ body }) => body),
    ['1', '3'],
  );
  t.match(await inbox.depth(), { visible: 2, date: Date.parse('2026-11-24T21:40:00Z') });
});
