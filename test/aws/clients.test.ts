import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { endpointChosen, secretsManagerClient, sqsClient } from '../../src/aws/clients.ts';
import { createPublisher, queueAttributes } from '../../src/queue/sqs.ts';
import { startAwsStandIn } from './stand-in.ts';

/** Sets variables of this process for one test. */
function environment(t: Test, variables: Readonly<Record<string, string | undefined>>): void {
  const before = { ...process.env };
  t.teardown(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, before);
  });
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

const MESSAGE = { body: 'b', group: 'g', deduplicationId: 'd' };
const AWS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };

t.test('a destination names its region and endpoint, or they come the usual way', async (t) => {
  environment(t, { ...AWS, AWS_ENDPOINT_URL: undefined });
  const named = secretsManagerClient({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:9' }, 2);
  t.equal(await named.config.region(), 'eu-west-1');
  t.match(await named.config.endpoint?.(), { hostname: '127.0.0.1', port: 9 });
  t.equal(await named.config.maxAttempts(), 2);
  const usual = secretsManagerClient({}, 1);
  t.equal(await usual.config.region(), 'us-east-1');
  t.equal(await usual.config.maxAttempts(), 1);
  named.destroy();
  usual.destroy();
});

/** Answers with headers and half of a body, and keeps silent then. */
async function startHalfHearted(t: Test) {
  let requests = 0;
  const server = http.createServer((_, response) => {
    requests += 1;
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': 100 });
    response.write('{"Successful"');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}

t.test('a call to SQS ends in time, with its body and all that the SDK tries again', async (t) => {
  const { endpoint, requests } = await startHalfHearted(t);
  environment(t, { ...AWS, AWS_ENDPOINT_URL: endpoint });
  const client = sqsClient(true, 1_000);
  t.teardown(() => client.destroy());
  const publisher = createPublisher(client, `${endpoint}/000000000000/q.fifo`);
  await t.rejects(publisher.send([MESSAGE]), { message: /^SQS answered SendMessageBatch with \w+$/ });
  t.equal(requests(), 1, 'no other attempt begins after the limit');
});

t.test('a call to SQS that nobody answers is ended, and not tried again', async (t) => {
  const standIn = await startAwsStandIn();
  t.teardown(standIn.close);
  environment(t, { ...AWS, AWS_ENDPOINT_URL: standIn.endpoint });
  standIn.answer({ act: 'hang' });
  const client = sqsClient(true, 1_000);
  t.teardown(() => client.destroy());
  const publisher = createPublisher(client, `${standIn.endpoint}/000000000000/q.fifo`);
  await t.rejects(publisher.send([MESSAGE]), { message: 'SQS answered SendMessageBatch with AbortError' });
  t.equal(standIn.operations.length, 1);
});

t.test('calls at once go to their own queues, and attributes have the date of their own answer', async (t) => {
  environment(t, { ...AWS, AWS_ENDPOINT_URL: undefined });
  const [one, other] = await Promise.all([startAwsStandIn(), startAwsStandIn()]);
  t.teardown(() => Promise.all([one.close(), other.close()]));
  one.answer({ date: 'Tue, 24 Nov 2026 21:40:00 GMT' });
  other.answer({ date: 'Tue, 24 Nov 2026 22:40:00 GMT' });
  const client = sqsClient(false);
  t.teardown(() => client.destroy());
  const [url, otherUrl] = [one, other].map(({ endpoint }) => `${endpoint}/000000000000/q.fifo`) as [string, string];
  const [publisher, otherPublisher] = [createPublisher(client, url), createPublisher(client, otherUrl)];
  for (let round = 0; round < 2; round += 1) {
    const [attributes, otherAttributes] = await Promise.all([
      queueAttributes(client, url),
      queueAttributes(client, otherUrl),
      publisher.send([MESSAGE]),
      otherPublisher.send([MESSAGE]),
      publisher.send([MESSAGE]),
    ]);
    t.equal(attributes.date, Date.UTC(2026, 10, 24, 21, 40));
    t.equal(otherAttributes.date, Date.UTC(2026, 10, 24, 22, 40));
  }
  const sent = ({ operations }: typeof one) =>
    operations.filter((operation) => operation === 'SendMessageBatch').length;
  t.same([sent(one), sent(other)], [4, 2]);
});

t.test('an endpoint for SQS is chosen by either variable', (t) => {
  t.equal(endpointChosen({}), false);
  t.equal(endpointChosen({ AWS_ENDPOINT_URL: '' }), false);
  t.equal(endpointChosen({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }), true);
  t.equal(endpointChosen({ AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9' }), true);
  t.equal(endpointChosen({ AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9' }), false);
  t.end();
});

t.test("the queue's URL names the host, unless the operator chose an endpoint", async (t) => {
  const [chosen, named] = await Promise.all([startAwsStandIn(), startAwsStandIn()]);
  t.teardown(() => Promise.all([chosen.close(), named.close()]));
  environment(t, { ...AWS, AWS_ENDPOINT_URL: chosen.endpoint });
  const url = `${named.endpoint}/000000000000/q.fifo`;
  for (const [byOperator, expected] of [
    [false, [0, 1]],
    [true, [1, 1]],
  ] as const) {
    const client = sqsClient(byOperator);
    await createPublisher(client, url).send([MESSAGE]);
    t.same([chosen.operations.length, named.operations.length], expected);
    client.destroy();
  }
});
