import t from 'tap';
import { judgeQueueCalls, judgeQueues, type QueuesFacts } from '../../../src/doctor/checks/queues.ts';
import { said, states } from '../said.ts';

const ARN = 'arn:aws:sqs:eu-central-1:111122223333:vaultferry-dlq.fifo';
const plain = {
  FifoQueue: 'true',
  MessageRetentionPeriod: '1209600',
  VisibilityTimeout: '30',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
  SqsManagedSseEnabled: 'true',
};
const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: ARN, maxReceiveCount: 100 });
const main = { ...plain, QueueArn: 'arn:main', RedrivePolicy, ApproximateNumberOfMessages: '7' };
const letters = { ...plain, QueueArn: ARN };
const right: QueuesFacts = {
  url: 'https://sqs/q.fifo',
  deadLetterUrl: 'https://sqs/dlq.fifo',
  main: { attributes: main },
  deadLetters: { attributes: letters },
  maxReceives: 10,
  visibility: 30_000,
};
const judge = (changed: Partial<QueuesFacts> = {}) => judgeQueues({ ...right, ...changed });
const wrong = (changed: Partial<QueuesFacts>) => judge(changed).filter(({ state }) => state !== 'ok');

t.test('queues as they should be', async (t) => {
  t.strictSame(states(judge()), ['ok queue', 'ok dead letters', 'ok attributes']);
  t.match(said(judge()), /arn:main, 7 waiting/);
  t.match(said(judge({ deadLetters: { attributes: { ...letters, QueueArn: '' } } })), /, 0 waiting/);
});

t.test('attributes that are wrong, each with its mend', async (t) => {
  const set = (url: string, attribute: string) =>
    `aws sqs set-queue-attributes --queue-url ${url} --attributes ${attribute}`;
  const cases: readonly (readonly [string, Partial<QueuesFacts>, string, string])[] = [
    ['no FIFO', { main: { attributes: { ...main, FifoQueue: 'false' } } }, 'failure', 'create it with FifoQueue=true'],
    ['not wired', { main: { attributes: { ...main, RedrivePolicy: '' } } }, 'failure', 'set its deadLetterTargetArn'],
    ['too few receives', { maxReceives: 100 }, 'failure', 'SQS would park messages without a reason; set it to 100'],
    [
      'retention',
      { main: { attributes: { ...main, MessageRetentionPeriod: '345600' } } },
      'warning',
      set('https://sqs/q.fifo', 'MessageRetentionPeriod=1209600'),
    ],
    [
      "the letters' retention",
      { deadLetters: { attributes: { ...letters, MessageRetentionPeriod: '345600' } } },
      'warning',
      set('https://sqs/dlq.fifo', 'MessageRetentionPeriod=1209600'),
    ],
    ['visibility', { visibility: 60_000 }, 'warning', 'set it to that'],
    [
      'throughput',
      { main: { attributes: { ...main, DeduplicationScope: 'queue' } } },
      'warning',
      set('https://sqs/q.fifo', 'DeduplicationScope=messageGroup'),
    ],
    [
      'encryption',
      { deadLetters: { attributes: { ...letters, SqsManagedSseEnabled: 'false' } } },
      'warning',
      set('https://sqs/dlq.fifo', 'SqsManagedSseEnabled=true'),
    ],
  ];
  for (const [what, changed, state, mend] of cases) {
    const findings = wrong(changed);
    t.ok(
      findings.some((one) => one.state === state && one.check === 'attributes'),
      what,
    );
    t.ok(said(findings).includes(mend), `${what}: ${said(findings)}`);
  }
});

t.test('a queue that cannot be asked', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['AccessDenied', /allow sqs:GetQueueAttributes .*queue\.url/],
    ['KmsAccessDenied', /allow sqs:GetQueueAttributes/],
    ['QueueDoesNotExist', /create the queue, or mend queue\.url/],
    ['AWS.SimpleQueueService.NonExistentQueue', /create the queue/],
    ['TimeoutError', /credentials, region and endpoint/],
  ];
  for (const [error, mend] of cases) {
    const findings = judge({ main: { error } });
    t.strictSame(states(findings), ['failure queue', 'ok dead letters', 'not_checked attributes'], error);
    t.match(said(findings), mend);
  }
  const findings = judge({ deadLetters: { error: 'QueueDoesNotExist' } });
  t.strictSame(states(findings), ['ok queue', 'failure dead letters', 'not_checked attributes']);
  t.match(said(findings), /mend queue\.deadLetterUrl/);
});

t.test('calls with a receipt that is none', async (t) => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'ok'],
    ['ReceiptHandleIsInvalid', 'ok'],
    ['InvalidParameterValue', 'ok'],
    ['AccessDenied', 'failure'],
    ['AccessDeniedException', 'failure'],
    ['QueueDoesNotExist', 'not_checked'],
  ];
  for (const [error, state] of cases) {
    const findings = judgeQueueCalls([{ call: 'DeleteMessage', error }]);
    t.strictSame(states(findings), [`${state} DeleteMessage`, 'not_checked SendMessage, ReceiveMessage'], `${error}`);
  }
  t.match(said(judgeQueueCalls([{ call: 'DeleteMessage', error: 'AccessDenied' }])), /allow sqs:DeleteMessage/);
});
