import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs';
import { systemClock } from '../../src/clock.ts';
import { dlqCommand } from '../../src/commands/dlq.ts';
import type { DlqAction } from '../../src/commands/dlq-action.ts';
import type { DlqCommand } from '../../src/commands/dlq-command.ts';
import { createLetterQueue } from '../../src/dead-letters/queue.ts';
import { createPublisher } from '../../src/queue/sqs.ts';
import type { AwsClientOptions, Queues } from '../servers/roto.ts';
import { changeBody, parkedLetter, ROUTES, VAULT } from './letters.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The queues of one test, as the program has them and as a plain client sees them. */
export function createHouse(client: AwsClientOptions, { url, deadLetterUrl }: Queues) {
  const sqs = new SQSClient(client);
  const letters = createLetterQueue(sqs, deadLetterUrl, 0);
  const publisher = createPublisher(sqs, url);
  const deadLetters = createPublisher(sqs, deadLetterUrl);

  const received = async (QueueUrl: string, VisibilityTimeout: number, max = 10): Promise<SqsMessage[]> => {
    const command = new ReceiveMessageCommand({
      ...{ QueueUrl, VisibilityTimeout, MaxNumberOfMessages: max, WaitTimeSeconds: 0 },
      ...{ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
    });
    return (await sqs.send(command)).Messages ?? [];
  };
  const giveBack = async (QueueUrl: string, messages: readonly SqsMessage[]) => {
    for (const { ReceiptHandle } of messages) {
      await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    }
  };
  /** Everything that a plain client can receive right now, given back afterwards. */
  const seen = async (QueueUrl: string): Promise<SqsMessage[]> => {
    const all: SqsMessage[] = [];
    for (let batch = await received(QueueUrl, 60); batch.length > 0; batch = await received(QueueUrl, 60))
      all.push(...batch);
    await giveBack(QueueUrl, all);
    return all;
  };
  return {
    sqs,
    letters,
    publisher,
    deadLetters,
    inDeadLetters: () => seen(deadLetterUrl),
    inQueue: () => seen(url),
    /** Another reader takes some and keeps them for a minute. */
    hold: (max: number) => received(deadLetterUrl, 60, max),
    release: (messages: readonly SqsMessage[]) => giveBack(deadLetterUrl, messages),
    async counts() {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
      const command = new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: [...names] });
      const { Attributes = {} } = await sqs.send(command);
      return names.map((name) => Number(Attributes[name]));
    },
    /** Letters as a worker parks them, of these paths. */
    async park(paths: readonly string[], parking: Omit<Parameters<typeof parkedLetter>[1], 'id'> = {}) {
      const all = paths.map((path) => parkedLetter(changeBody(path), { ...parking, id: randomUUID() }));
      for (let start = 0; start < all.length; start += 10) await deadLetters.send(all.slice(start, start + 10));
    },
    /** A body without attributes, as SQS moves it or another program sends it. */
    async place(MessageBody: string, MessageGroupId: string = randomUUID()) {
      const command = { QueueUrl: deadLetterUrl, MessageBody, MessageGroupId, MessageDeduplicationId: randomUUID() };
      await sqs.send(new SendMessageCommand(command));
    },
    async run(action: DlqAction, over: Partial<DlqCommand> = {}): Promise<Outcome> {
      let stdout = '';
      let stderr = '';
      const command: DlqCommand = {
        ...{ vault: VAULT, routes: ROUTES, queue: letters, publisher, freshId: randomUUID, clock: systemClock },
        ...{ json: true, yes: false, signal: new AbortController().signal, progress: () => {} },
        ask: () => Promise.reject(new Error('nobody is to be asked')),
        write: (text) => {
          stdout += text;
        },
        writeError: (text) => {
          stderr += text;
        },
        ...over,
      };
      const code = await dlqCommand(command, action);
      return { code, stdout, stderr };
    },
    close: () => sqs.destroy(),
  };
}
