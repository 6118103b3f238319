import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { startFaultProxy } from './fault-proxy.ts';
import { until } from './until.ts';

const asked: string[] = [];
const upstream = http
  .createServer((request, response) => {
    asked.push(String(request.headers['x-amz-target']));
    const count = String(asked.length);
    response.end(JSON.stringify({ Messages: [{ MessageId: 'm', Attributes: { ApproximateReceiveCount: count } }] }));
  })
  .listen(0, '127.0.0.1');
await once(upstream, 'listening');
const proxy = await startFaultProxy(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
t.teardown(async () => {
  await proxy.close();
  upstream.close();
});
const ask = (operation: string, signal?: AbortSignal) =>
  fetch(proxy.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': `AmazonSQS.${operation}` },
    body: '{}',
    ...(signal && { signal }),
  });

t.test('it passes on, and keeps the most receives of each message', async (t) => {
  t.match(await (await ask('ReceiveMessage')).json(), { Messages: [{ MessageId: 'm' }] });
  await ask('ReceiveMessage');
  await ask('DeleteMessage');
  t.same([...proxy.receives], [['m', 2]]);
  t.same(proxy.met, []);
});

t.test('an error is answered as AWS does, and nothing is passed on', async (t) => {
  const before = asked.length;
  proxy.fault = (operation, service) => (service === 'AmazonSQS' ? { error: `${operation}Failed` } : undefined);
  const answer = await ask('Send');
  t.match([answer.status, await answer.json()], [400, { __type: 'SendFailed' }]);
  t.equal(answer.headers.get('x-amzn-errortype'), 'SendFailed');
  proxy.fault = () => ({ error: 'InternalServiceError', status: 500 });
  t.equal((await ask('Send')).status, 500);
  t.equal(asked.length, before);
  t.same(proxy.met, ['Send', 'Send']);
});

t.test('a call may hang before its effect, or break off after it', async (t) => {
  const before = asked.length;
  proxy.fault = () => 'hang';
  const ending = new AbortController();
  const hanging = t.rejects(ask('Put', ending.signal));
  await until(() => proxy.met.at(-1) === 'Put', { what: 'the call to arrive' });
  ending.abort();
  await hanging;
  t.equal(asked.length, before);
  proxy.fault = () => 'drop';
  await t.rejects(ask('Put'));
  t.equal(asked.length, before + 1);
});
