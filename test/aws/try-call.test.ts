import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import t from 'tap';
import {
  tryChangeVisibility,
  tryDeleteMessage,
  tryDescribe,
  tryList,
  tryQueueAttributes,
  tryWritesToMissing,
  tryWritesToOwned,
  watchDates,
} from '../../src/aws/try-call.ts';
import { awsError, startAwsStandIn } from './stand-in.ts';

const aws = await startAwsStandIn();
const secrets = new SecretsManagerClient({ ...aws.client, maxAttempts: 1 });
const sqs = new SQSClient({ ...aws.client, maxAttempts: 1 });
t.teardown(async () => {
  secrets.destroy();
  sqs.destroy();
  await aws.close();
});
const URL = `${aws.endpoint}/1/q.fifo`;
const ID = '11111111-2222-4333-8444-555555555555';

t.test('an error is told by its name alone', async (t) => {
  aws.answer(awsError('AccessDeniedException', 'with words of the request'));
  for (const call of [tryDescribe(secrets, 'kv/a'), tryList(secrets, 'vault'), tryQueueAttributes(sqs, URL)]) {
    t.strictSame(await call, { error: 'AccessDeniedException' });
  }
  aws.answer({ body: { Attributes: { FifoQueue: 'true' } } });
  t.match(await tryQueueAttributes(sqs, URL), { output: { Attributes: { FifoQueue: 'true' } }, error: undefined });
});

t.test('a copy of ours is found by its tag', async (t) => {
  const entry = (arn: string, Value: string) => ({ ARN: arn, Tags: [{ Key: 'vaultferry:vault', Value }] });
  aws.answer({ body: { SecretList: [{ ARN: 'foreign' }, entry('another', 'b'), entry('ours', 'a')] } });
  t.match(await tryList(secrets, 'a'), { output: 'ours' });
  t.match(await tryList(secrets, 'c'), { output: undefined });
  aws.answer({ body: {} });
  t.match(await tryList(secrets, 'a'), { output: undefined });
});

t.test('writes that can change nothing', async (t) => {
  const asked = aws.operations.length;
  aws.answer(awsError('ResourceNotFoundException', 'no such secret'));
  const missing = await tryWritesToMissing(secrets, 'kv/none', ID, ['DeleteSecret', 'GetSecretValue']);
  const error = 'ResourceNotFoundException';
  t.strictSame(missing, {
    PutSecretValue: { error },
    UpdateSecretVersionStage: { error },
    TagResource: { error },
    UntagResource: { error },
    RestoreSecret: { error },
    DeleteSecret: { error },
    GetSecretValue: { error },
  });
  t.strictSame(aws.operations.slice(asked).toSorted(), Object.keys(missing).toSorted());
  const before = aws.operations.length;
  const owned = await tryWritesToOwned(secrets, 'arn:ours', ID, ['DeleteSecret', 'GetSecretValue']);
  const tried = ['GetSecretValue', 'UntagResource', 'UpdateSecretVersionStage'];
  t.strictSame(Object.keys(owned).toSorted(), tried);
  t.strictSame(aws.operations.slice(before).toSorted(), tried, 'a copy is never asked to be deleted');
  aws.answer({ body: { SecretString: 'a value' } });
  const { GetSecretValue } = await tryWritesToOwned(secrets, 'arn:ours', ID, ['GetSecretValue']);
  t.strictSame(GetSecretValue, { output: undefined, error: undefined }, 'no value is kept, whatever is answered');
});

t.test('receipts that are none', async (t) => {
  aws.answer(awsError('ReceiptHandleIsInvalid', 'no receipt'));
  t.strictSame(await tryDeleteMessage(sqs, URL), { error: 'ReceiptHandleIsInvalid' });
  t.strictSame(await tryChangeVisibility(sqs, URL), { error: 'ReceiptHandleIsInvalid' });
});

t.test('the time of each answer, refusals too', async (t) => {
  const dates: number[] = [];
  watchDates(secrets, (date) => dates.push(date));
  watchDates(sqs, (date) => dates.push(date));
  const date = 'Wed, 25 Nov 2026 03:00:00 GMT';
  aws.answer({ ...awsError('AccessDeniedException', 'no'), date });
  await tryDescribe(secrets, 'kv/a');
  aws.answer({ body: {}, date });
  await tryQueueAttributes(sqs, URL);
  aws.answer({ body: {}, date: false });
  await tryQueueAttributes(sqs, URL);
  aws.answer({ body: {}, date: 'soon' });
  await tryQueueAttributes(sqs, URL);
  t.strictSame(dates, [Date.parse(date), Date.parse(date)]);
});
