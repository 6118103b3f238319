import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  type Filter,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  type SecretListEntry,
  type SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { TAG_VAULT } from '../replicate/tags.ts';
import { sdkErrorName } from './failure.ts';

/** What came of a call: its output, or the name of its error and nothing of its text, which may quote the request. */
export type Tried<T> = { readonly output: T; readonly error: undefined } | { readonly error: string };

/** A call's limit from end to end, in ms. */
const CALL_LIMIT = 8_000;

async function tried<T>(send: (limit: { abortSignal: AbortSignal }) => Promise<T>): Promise<Tried<T>> {
  try {
    return { output: await send({ abortSignal: AbortSignal.timeout(CALL_LIMIT) }), error: undefined };
  } catch (error) {
    return { error: sdkErrorName(error) };
  }
}

/** Calls `onDate` with the Date of each answer, refusals too; ms since the epoch, in whole seconds. */
export function watchDates(client: SecretsManagerClient | SQSClient, onDate: (date: number) => void): void {
  if (client instanceof SQSClient) client.middlewareStack.add(dated(onDate), INNERMOST);
  else client.middlewareStack.add(dated(onDate), INNERMOST);
}

/** Within the deserializer, which throws what is no success. */
const INNERMOST = { step: 'deserialize', name: 'watchDates', priority: 'low' } as const;

const dated =
  (onDate: (date: number) => void) =>
  <Args, Result extends { readonly response: unknown }>(next: (args: Args) => Promise<Result>) =>
  async (args: Args): Promise<Result> => {
    const result = await next(args);
    const { headers } = result.response as { headers?: Record<string, string> };
    const date = Date.parse(headers?.['date'] ?? '');
    if (!Number.isNaN(date)) onDate(date);
    return result;
  };

export const tryQueueAttributes = (client: SQSClient, QueueUrl: string) =>
  tried((limit) => client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }), limit));

/** No receipt looks like this, so these two can touch no message. */
const NO_RECEIPT = 'vaultferry-doctor';

export const tryDeleteMessage = (client: SQSClient, QueueUrl: string) =>
  tried((limit) => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: NO_RECEIPT }), limit));

export const tryChangeVisibility = (client: SQSClient, QueueUrl: string) =>
  tried((limit) =>
    client.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: NO_RECEIPT, VisibilityTimeout: 0 }),
      limit,
    ),
  );

/** Lists one of this vault's copies; its ARN, undefined where the page has none. */
export async function tryList(client: SecretsManagerClient, vault: string): Promise<Tried<string | undefined>> {
  const Filters: Filter[] = [
    { Key: 'tag-key', Values: [TAG_VAULT] },
    { Key: 'tag-value', Values: [vault] },
  ];
  const page = await tried((limit) => client.send(new ListSecretsCommand({ Filters, MaxResults: 10 }), limit));
  if (page.error !== undefined) return page;
  const isOurs = ({ Tags = [] }: SecretListEntry) =>
    Tags.some(({ Key, Value }) => Key === TAG_VAULT && Value === vault);
  return { output: page.output.SecretList?.find(isOurs)?.ARN, error: undefined };
}

export const tryDescribe = (client: SecretsManagerClient, SecretId: string) =>
  tried((limit) => client.send(new DescribeSecretCommand({ SecretId }), limit));

type Writes = Readonly<Record<string, Tried<unknown>>>;

/** What only some configurations need: to delete copies, to compare those of KV version 1. */
export type Extra = 'DeleteSecret' | 'GetSecretValue';

/** Calls to a secret that does not exist: each fails, and says whether it would be allowed. None can create it. */
export async function tryWritesToMissing(
  client: SecretsManagerClient,
  SecretId: string,
  id: string,
  extras: readonly Extra[],
): Promise<Writes> {
  const version = { SecretString: '{}', ClientRequestToken: id };
  const [more, put, promote, tag, untag, restore] = await Promise.all([
    tryExtras(client, SecretId, id, extras),
    tried((limit) => client.send(new PutSecretValueCommand({ SecretId, ...version }), limit)),
    tryUnstage(client, SecretId, id),
    tried((limit) => client.send(new TagResourceCommand({ SecretId, Tags: [{ Key: UNUSED_TAG, Value: '' }] }), limit)),
    tryUntag(client, SecretId),
    tried((limit) => client.send(new RestoreSecretCommand({ SecretId }), limit)),
  ]);
  return {
    PutSecretValue: put,
    UpdateSecretVersionStage: promote,
    TagResource: tag,
    UntagResource: untag,
    RestoreSecret: restore,
    ...more,
  };
}

/**
 * Writes to a copy that take away what it does not have: a label from a version that does not exist, an unused tag. Its
 * value is asked of such a version too, so that none is read; a deletion is never tried where it could succeed.
 */
export async function tryWritesToOwned(
  client: SecretsManagerClient,
  arn: string,
  id: string,
  extras: readonly Extra[],
): Promise<Writes> {
  const harmless = extras.filter((extra) => extra !== 'DeleteSecret');
  const [more, promote, untag] = await Promise.all([
    tryExtras(client, arn, id, harmless),
    tryUnstage(client, arn, id),
    tryUntag(client, arn),
  ]);
  return { UpdateSecretVersionStage: promote, UntagResource: untag, ...more };
}

async function tryExtras(
  client: SecretsManagerClient,
  SecretId: string,
  VersionId: string,
  extras: readonly Extra[],
): Promise<Writes> {
  const calls: Readonly<Record<Extra, () => Promise<Tried<unknown>>>> = {
    DeleteSecret: () =>
      tried((limit) => client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 30 }), limit)),
    GetSecretValue: () =>
      tried(async (limit) => {
        await client.send(new GetSecretValueCommand({ SecretId, VersionId }), limit); // an answer is not kept
      }),
  };
  const answers = extras.map(async (extra) => [extra, await calls[extra]()] as const);
  return Object.fromEntries(await Promise.all(answers));
}

/** Nobody sets these, so that taking them away takes nothing. */
const UNUSED_TAG = 'vaultferry:doctor';
const UNUSED_LABEL = 'VAULTFERRY_DOCTOR';

const tryUnstage = (client: SecretsManagerClient, SecretId: string, RemoveFromVersionId: string) =>
  tried((limit) =>
    client.send(
      new UpdateSecretVersionStageCommand({ SecretId, VersionStage: UNUSED_LABEL, RemoveFromVersionId }),
      limit,
    ),
  );

const tryUntag = (client: SecretsManagerClient, SecretId: string) =>
  tried((limit) => client.send(new UntagResourceCommand({ SecretId, TagKeys: [UNUSED_TAG] }), limit));
