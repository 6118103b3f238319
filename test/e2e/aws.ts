import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { AwsClientOptions, Queues } from '../servers/roto.ts';

/** A secret in Secrets Manager, as anybody with the right to read it sees it. */
export interface Copy {
  readonly arn: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Staging labels by version id. */
  readonly stages: Readonly<Record<string, readonly string[]>>;
  /** The version at AWSCURRENT. */
  readonly versionId: string | undefined;
  /** The value at AWSCURRENT; undefined while the secret is scheduled for deletion. */
  readonly value: string | undefined;
  readonly scheduledForDeletion: boolean;
}

/** What stands in the dead-letter queue. */
export interface Letter {
  readonly body: string;
  readonly group: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Aws {
  readonly secrets: SecretsManagerClient;
  readonly sqs: SQSClient;
  copy(name: string): Promise<Copy | undefined>;
  /** The version id at AWSCURRENT alone: one call. */
  versionId(name: string): Promise<string | undefined>;
  names(): Promise<string[]>;
  /** Every letter that has come so far. */
  letters(): Promise<readonly Letter[]>;
  /** How many messages the main queue holds, in flight or not. */
  waiting(): Promise<number>;
  /** Puts a body on the main queue, in a group and under an id of its own. */
  send(body: string): Promise<void>;
  close(): void;
}

export function createAws(client: AwsClientOptions, queues: Queues): Aws {
  const secrets = new SecretsManagerClient(client);
  const sqs = new SQSClient(client);
  const letters: Letter[] = [];
  let sent = 0;
  return {
    secrets,
    sqs,
    copy: (name) => copy(secrets, name),
    versionId: async (name) => currentId((await describe(secrets, name))?.VersionIdsToStages ?? {}),
    names: () => names(secrets),
    async letters() {
      letters.push(...(await receiveLetters(sqs, queues.deadLetterUrl)));
      return letters;
    },
    waiting: () => waiting(sqs, queues.url),
    async send(body) {
      sent += 1;
      const id = { MessageGroupId: `by-hand-${sent}`, MessageDeduplicationId: `by-hand-${sent}` };
      await sqs.send(new SendMessageCommand({ QueueUrl: queues.url, MessageBody: body, ...id }));
    },
    close() {
      secrets.destroy();
      sqs.destroy();
    },
  };
}

const absent = (error: unknown): undefined => {
  if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
  throw error;
};

const describe = (secrets: SecretsManagerClient, SecretId: string) =>
  secrets.send(new DescribeSecretCommand({ SecretId })).catch(absent);

const currentId = (stages: Readonly<Record<string, readonly string[]>>): string | undefined =>
  Object.keys(stages).find((id) => stages[id]?.includes('AWSCURRENT'));

/** The label is named outright: of some emulators a plain read answers an older value. */
const read = (secrets: SecretsManagerClient, SecretId: string) =>
  secrets.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' })).catch(absent);

/** Two calls, which a promotion may come between: then both are made again, and a few times at most. */
async function copy(secrets: SecretsManagerClient, name: string, tries = 5): Promise<Copy | undefined> {
  const seen = await describe(secrets, name);
  if (seen === undefined) return undefined;
  const { ARN: arn = '', Description: description = '', Tags = [], VersionIdsToStages: stages = {} } = seen;
  const scheduledForDeletion = seen.DeletedDate !== undefined;
  const current = scheduledForDeletion ? undefined : await read(secrets, arn);
  if (current !== undefined && current.VersionId !== currentId(stages)) {
    if (tries > 1) return copy(secrets, name, tries - 1);
    throw new Error(`AWSCURRENT of ${name} is ${current.VersionId} by its value, ${currentId(stages)} by its labels`);
  }
  return {
    arn,
    description,
    tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
    stages,
    versionId: currentId(stages),
    value: current?.SecretString,
    scheduledForDeletion,
  };
}

async function names(secrets: SecretsManagerClient): Promise<string[]> {
  const found: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await secrets.send(new ListSecretsCommand({ IncludePlannedDeletion: true, NextToken }));
    found.push(...(page.SecretList ?? []).map(({ Name = '' }) => Name));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return found.toSorted();
}

async function waiting(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, ApproximateNumberOfMessagesDelayed } =
    Attributes;
  return (
    Number(ApproximateNumberOfMessages ?? 0) +
    Number(ApproximateNumberOfMessagesNotVisible ?? 0) +
    Number(ApproximateNumberOfMessagesDelayed ?? 0)
  );
}

/** They stay in the queue, hidden for longer than any test. */
async function receiveLetters(sqs: SQSClient, QueueUrl: string): Promise<Letter[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 3600,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    }),
  );
  return Messages.map(({ Body = '', Attributes = {}, MessageAttributes = {} }) => ({
    body: Body,
    group: Attributes.MessageGroupId ?? '',
    attributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue = '' }]) => [name, StringValue]),
    ),
  }));
}
