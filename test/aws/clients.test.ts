import t, { type Test } from 'tap';
import { endpointChosen, secretsManagerClient, sqsClient } from '../../src/aws/clients.ts';
import { createPublisher } from '../../src/queue/sqs.ts';
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

t.test('a call to SQS that is not answered in time is ended, and not tried again', async (t) => {
  const standIn = await startAwsStandIn();
  t.teardown(standIn.close);
  environment(t, { ...AWS, AWS_ENDPOINT_URL: standIn.endpoint });
  standIn.answer({ act: 'hang' });
  const client = sqsClient(true, 100);
  const publisher = createPublisher(client, `${standIn.endpoint}/000000000000/q.fifo`);
  await t.rejects(publisher.send([{ body: 'b', group: 'g', deduplicationId: 'd' }]), {
    message: 'SQS answered SendMessageBatch with AbortError',
  });
  t.equal(standIn.operations.length, 1);
  client.destroy();
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
    await createPublisher(client, url).send([{ body: 'b', group: 'g', deduplicationId: 'd' }]);
    t.same([chosen.operations.length, named.operations.length], expected);
    client.destroy();
  }
});
