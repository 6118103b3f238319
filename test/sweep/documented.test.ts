import t from 'tap';
import { parseMessage, sweepGroup } from '../../src/queue/message.ts';
import { documentedRequest } from './documented.ts';

t.test('the request for a sweep that docs/pull-only.md gives to a scheduler is one that a worker takes', async (t) => {
  const { text, Arn, request } = await documentedRequest();
  t.equal(Arn, 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage');
  t.strictSame(Object.keys(request).sort(), ['MessageBody', 'MessageDeduplicationId', 'MessageGroupId', 'QueueUrl']);
  t.strictSame(parseMessage(request.MessageBody, 'vault'), { v: 1, kind: 'sweep', vault: 'vault', origin: 'timer' });
  t.equal(request.MessageGroupId, sweepGroup('vault'));
  t.equal(request.MessageDeduplicationId, '<aws.scheduler.scheduled-time>');
  t.ok(text.includes(`\`${request.MessageBody}\``), 'the body is also there to be read');
});
