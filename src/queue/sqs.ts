import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type GetQueueAttributesResult,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs';
import { sdkErrorName } from '../aws/failure.ts';
import { ReplicationError } from '../errors.ts';
import { BATCH, type Inbox, type Outgoing, type Publisher, type Received } from './ports.ts';

/** How long a receive waits for a message, in seconds. */
const WAIT_SECONDS = 5;

/**
 * The program's end of one queue towards the world; nothing else knows SQS's API.
 * @param client of {@link sqsClient}, which limits how long a call takes
 */
export const createPublisher = (client: SQSClient, url: string): Publisher => ({
  async send(batch) {
    const Entries = batch.map(({ body, group, deduplicationId, attributes }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageGroupId: group,
      MessageDeduplicationId: deduplicationId,
      ...(attributes !== undefined && { MessageAttributes: stringAttributes(attributes) }),
    }));
    const command = new SendMessageBatchCommand({ QueueUrl: url, Entries });
    const { Failed = [] } = await attempt('SendMessageBatch', () => client.send(command));
    return Failed.map(({ Id, Code = '' }) => ({ index: Number(Id), forGood: FOR_GOOD.test(Code), code: Code }));
  },
});

/**
 * What SQS says of a message's own text: characters it does not take, or too many of them. `SenderFault` does not tell:
 * throttling and what KMS or a policy refuses are the sender's fault too, and pass.
 */
const FOR_GOOD = /(^|[.#])(InvalidMessageContents|InvalidParameterValue|InvalidAttributeValue)$/;

const stringAttributes = (attributes: NonNullable<Outgoing['attributes']>) =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  );

interface InboxOptions {
  /** How long a receive waits for a message, in whole seconds up to 5. */
  readonly waitSeconds?: number;
  /** Asks for the messages' own attributes too. */
  readonly attributes?: boolean;
}

/** @param visibility seconds that a received message is hidden for. */
export const createInbox = (
  client: SQSClient,
  url: string,
  visibility: number,
  { waitSeconds = WAIT_SECONDS, attributes = false }: InboxOptions = {},
): Inbox => ({
  async receive(max, wait = waitSeconds) {
    const { Messages = [] } = await attempt('ReceiveMessage', () =>
      client.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: Math.min(BATCH, max),
          WaitTimeSeconds: wait,
          VisibilityTimeout: visibility,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'MessageGroupId', 'SentTimestamp'],
          ...(attributes && { MessageAttributeNames: ['All'] }),
        }),
      ),
    );
    return Messages.map(received);
  },
  acknowledge: (messages) =>
    inBatches('DeleteMessageBatch', messages, (Entries) =>
      client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries })),
    ),
  hide: (messages, seconds) =>
    inBatches('ChangeMessageVisibilityBatch', messages, (entries) => {
      const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: seconds }));
      return client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
    }),
  async extend({ receipt }, seconds) {
    const entry = { QueueUrl: url, ReceiptHandle: receipt, VisibilityTimeout: seconds };
    await attempt('ChangeMessageVisibility', () => client.send(new ChangeMessageVisibilityCommand(entry)));
  },
  async depth() {
    const { attributes, date } = await queueAttributes(client, url);
    return { visible: Number(attributes['ApproximateNumberOfMessages'] ?? 0), date };
  },
});

/** All attributes of a queue, and the Date of the answer (ms since the epoch, whole seconds). */
export async function queueAttributes(client: SQSClient, url: string) {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
  let header: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      header = (result.response as { headers?: Record<string, string> }).headers?.['date'];
      return result;
    },
    { step: 'deserialize', name: 'readDateHeader' },
  );
  const ownMiddleware = {}; // without options, even none, the client would use what it keeps for such commands
  const answer: GetQueueAttributesResult = await attempt('GetQueueAttributes', () =>
    client.send(command, ownMiddleware),
  );
  const date = Date.parse(header ?? '');
  return {
    attributes: answer.Attributes ?? {},
    date: Number.isNaN(date) ? Math.floor(Date.now() / 1000) * 1000 : date,
  };
}

/** Deletes one message. Unlike a batch, it tells of a message that is not deleted: throws queue_unavailable. */
export async function deleteMessage(client: SQSClient, url: string, { receipt }: Received): Promise<void> {
  const command = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt });
  await attempt('DeleteMessage', () => client.send(command));
}

const received = ({ MessageAttributes, ...message }: SqsMessage): Received => ({
  ...receivedBody(message),
  ...(MessageAttributes !== undefined && { attributes: stringsOf(MessageAttributes) }),
});

const stringsOf = (attributes: NonNullable<SqsMessage['MessageAttributes']>): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, { StringValue = '' }]) => [name, StringValue]));

const receivedBody = ({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }: SqsMessage): Received => ({
  id: MessageId,
  receipt: ReceiptHandle,
  body: Body,
  group: Attributes.MessageGroupId ?? '',
  receives: Number(Attributes.ApproximateReceiveCount ?? 1),
  sentAt: Number(Attributes.SentTimestamp ?? 0),
});

interface BatchEntry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}

/** What the batch call refuses (an expired receipt) has been received by somebody else: it comes back by itself. */
async function inBatches(
  operation: string,
  messages: readonly Received[],
  send: (entries: BatchEntry[]) => Promise<{ Failed?: BatchResultErrorEntry[] | undefined }>,
): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH) {
    const entries = messages
      .slice(start, start + BATCH)
      .map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
    await attempt(operation, () => send(entries));
  }
}

async function attempt<T>(operation: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw new ReplicationError('queue_unavailable', `SQS answered ${operation} with ${sdkErrorName(error)}`);
  }
}

/** Far longer than SQS takes, and shorter than whoever asks for readiness waits, in ms. */
const ANSWER_WITHIN = 1_500;

/**
 * Whether SQS answers for the queue. A refusal is an answer too: an ingress may send, and need not be allowed to ask for
 * attributes. A queue that does not exist, and credentials that are not taken, are none.
 */
export async function isReachable(client: SQSClient, url: string): Promise<boolean> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] });
  try {
    await client.send(command, { abortSignal: AbortSignal.timeout(ANSWER_WITHIN) });
    return true;
  } catch (error) {
    return error instanceof Error && /^(AccessDenied|KmsAccessDenied)/.test(error.name);
  }
}
