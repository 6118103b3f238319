import t from 'tap';
import { createSweepRequests } from '../../src/ingress/sweep-request.ts';
import { parseMessage } from '../../src/queue/message.ts';

t.test('all that was asked since the last request is one message in the group of sweeps', (t) => {
  const requests = createSweepRequests('vault');
  t.equal(requests.take(), undefined);
  requests.ask('start');
  requests.ask('connection');
  requests.ask('start');
  t.equal(requests.pending, true);
  const request = requests.take();
  t.equal(requests.pending, false);
  t.equal(requests.take(), undefined);
  t.match(request?.message, { group: 'sweep-vault', deduplicationId: /^[0-9a-f-]{36}-1$/ });
  const body = parseMessage(request?.message.body ?? '', 'vault');
  t.strictSame(body, { v: 1, kind: 'sweep', vault: 'vault', origin: 'gap', reason: 'start,connection' });
  t.end();
});

t.test('each request has an id of its own, in each process', (t) => {
  const ids = new Set<string | undefined>();
  for (const requests of [createSweepRequests('vault'), createSweepRequests('vault')]) {
    for (let gap = 0; gap < 3; gap += 1) {
      requests.ask('connection');
      ids.add(requests.take()?.message.deduplicationId);
    }
  }
  t.equal(ids.size, 6);
  t.end();
});

t.test('what could not be sent is asked for again, together with what came since, under a new id', (t) => {
  const requests = createSweepRequests('vault');
  const told: string[] = [];
  requests.ask('overflow', [() => told.push('first')]);
  const lost = requests.take();
  requests.ask('mounts', [() => told.push('second')]);
  if (lost !== undefined) requests.giveBack(lost);
  const next = requests.take();
  t.match(parseMessage(next?.message.body ?? '', 'vault'), { reason: 'mounts,overflow' });
  t.not(next?.message.deduplicationId, lost?.message.deduplicationId);
  for (const tell of next?.onQueued ?? []) tell();
  t.same(told.sort(), ['first', 'second']);
  t.equal(requests.pending, false);
  t.end();
});

t.test('an overflow may leave more who wait than one call has arguments', (t) => {
  const requests = createSweepRequests('vault');
  requests.ask(
    'overflow',
    Array.from({ length: 300_000 }, () => () => {}),
  );
  const request = requests.take();
  t.equal(request?.onQueued.length, 300_000);
  if (request !== undefined) requests.giveBack(request);
  t.equal(requests.take()?.onQueued.length, 300_000);
  t.end();
});

t.test('the oldest request is told of by when it was asked for, until it is on the queue or never will be', (t) => {
  let now = 0;
  const requests = createSweepRequests('vault', () => now);
  const take = () => {
    const request = requests.take();
    if (request === undefined) throw new Error('nothing was asked for');
    return request;
  };
  t.equal(requests.oldestFor, 0);
  requests.ask('start');
  now = 10;
  requests.ask('connection');
  const request = take();
  t.equal(requests.oldestFor, 10, 'while it is being sent');
  requests.ask('mounts');
  now = 20;
  requests.giveBack(request);
  t.equal(requests.oldestFor, 20, 'given back');
  requests.sent(take());
  t.equal(requests.oldestFor, 0);
  requests.ask('start');
  now = 30;
  requests.refused(take());
  t.equal(requests.oldestFor, 0);
  t.end();
});
