import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  type DescribeSecretResponse,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  type SecretsManagerClient,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { type FailureCode, ReplicationError } from '../errors.ts';
import type { Limiter, Need } from '../limiter.ts';
import { CURRENT, type Destination, type DestinationState, STAGING_LABEL } from '../replicate/destination.ts';
import type { Tags } from '../replicate/tags.ts';
import { Sensitive } from '../sensitive.ts';
import { destinationFailure, sdkErrorName } from './failure.ts';

/** A call's limit from end to end, the SDK's retries included, in ms. */
const CALL_LIMIT = 10_000;
/** The most entries that ListSecretVersionIds gives in one page. */
const PAGE_SIZE = 100;

export interface SecretsManagerOptions {
  /** Retries are safe for a look, and for a put or create under its ClientRequestToken. */
  readonly client: SecretsManagerClient;
  /** Without retries: what must not be sent again later than it was decided. */
  readonly onceClient: SecretsManagerClient;
  readonly kmsKeyId?: string;
  /** PutSecretValue and UpdateSecretVersionStage share one quota of AWS, CreateSecret and tagging have their own. */
  readonly limits: { readonly versions: Limiter; readonly creations: Limiter; readonly tags: Limiter };
}

/** The only place that knows Secrets Manager's API. */
export const createSecretsManager = (options: SecretsManagerOptions): Destination => ({
  ...lookingWith(options),
  create: create(options),
  put: put(options),
  promote: promote(options),
  restore: restore(options),
  scheduleDeletion: scheduleDeletion(options),
  retag: retag(options),
  versionTimes: versionTimes(options),
});

const describeWith =
  ({ client }: Pick<SecretsManagerOptions, 'client'>): Destination['describe'] =>
  async (name) => {
    const response = await call('DescribeSecret', name, {}, (limit) =>
      client.send(new DescribeSecretCommand({ SecretId: name }), limit).catch((error: unknown) => {
        if (sdkErrorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }),
    );
    return response?.ARN === undefined ? undefined : destinationState(response, response.ARN);
  };

/** One version's value by its id, which never changes: a read that a retry repeats is the same read. */
const valueWith =
  ({ client }: Pick<SecretsManagerOptions, 'client'>): Destination['value'] =>
  async (arn, versionId) => {
    const response = await call('GetSecretValue', arn, { codes: CONFLICTS }, (limit) =>
      client.send(new GetSecretValueCommand({ SecretId: arn, VersionId: versionId }), limit),
    ).catch(namePermission);
    return response.SecretString === undefined ? undefined : new Sensitive(response.SecretString);
  };

function namePermission(error: unknown): never {
  if (!(error instanceof ReplicationError) || error.code !== 'destination_forbidden') throw error;
  const need = 'routes of KV version 1 need secretsmanager:GetSecretValue, and kms:Decrypt where the key is your own';
  throw new ReplicationError(error.code, `${error.message}; ${need}`, error.cause);
}

/** What a look asks, for those who write nothing. */
export const lookingWith = (options: Pick<SecretsManagerOptions, 'client'>) => ({
  describe: describeWith(options),
  value: valueWith(options),
});

const create =
  ({ client, kmsKeyId, limits: { creations } }: SecretsManagerOptions): Destination['create'] =>
  async ({ name, description, versionId, value, tags }, errand) => {
    const secret = { Name: name, Description: description, Tags: awsTags(tags) };
    const version = { ClientRequestToken: versionId, SecretString: value.reveal() };
    const key = kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId };
    await errand.turn(creations);
    await call('CreateSecret', name, { codes: CREATE, limiter: creations }, (limit) =>
      client.send(new CreateSecretCommand({ ...secret, ...version, ...key }), limit),
    );
  };

/** A put and the promotion that follows it: between the two, nobody waits. */
const PAIR: Need = { calls: 2 };
/** Ends what somebody waits for: a version that was put, a copy that is gone and should not be. */
const FIRST: Need = { first: true };

const put =
  ({ client, limits: { versions } }: SecretsManagerOptions): Destination['put'] =>
  async (arn, versionId, value, errand) => {
    const version = { ClientRequestToken: versionId, SecretString: value.reveal(), VersionStages: [STAGING_LABEL] };
    await errand.turn(versions, PAIR);
    await call('PutSecretValue', arn, { codes: PUT, limiter: versions }, (limit) =>
      client.send(new PutSecretValueCommand({ SecretId: arn, ...version }), limit),
    );
  };

const promote =
  ({ onceClient, limits: { versions } }: SecretsManagerOptions): Destination['promote'] =>
  async (arn, versionId, from, errand) => {
    await errand.turn(versions, FIRST);
    const swap = { VersionStage: CURRENT, MoveToVersionId: versionId };
    const guard = from === undefined ? {} : { RemoveFromVersionId: from };
    await call('UpdateSecretVersionStage', arn, { codes: SWAP, limiter: versions }, (limit) =>
      onceClient.send(new UpdateSecretVersionStageCommand({ SecretId: arn, ...swap, ...guard }), limit),
    );
  };

const restore =
  ({ onceClient, limits: { creations } }: SecretsManagerOptions): Destination['restore'] =>
  async (arn, errand) => {
    await errand.turn(creations, FIRST);
    await call('RestoreSecret', arn, { codes: CONFLICTS, limiter: creations }, (limit) =>
      onceClient.send(new RestoreSecretCommand({ SecretId: arn }), limit),
    );
  };

const scheduleDeletion =
  ({ onceClient, limits: { creations } }: SecretsManagerOptions): Destination['scheduleDeletion'] =>
  async (arn, recoveryDays, errand) => {
    await errand.turn(creations); // in line: a sweep that deletes must not keep new secrets waiting
    await call('DeleteSecret', arn, { codes: CONFLICTS, limiter: creations }, (limit) =>
      onceClient.send(new DeleteSecretCommand({ SecretId: arn, RecoveryWindowInDays: recoveryDays }), limit),
    );
  };

const retag =
  ({ onceClient, limits }: SecretsManagerOptions): Destination['retag'] =>
  async (arn, { set, remove }, errand) => {
    const refusals = { codes: CONFLICTS, limiter: limits.tags };
    if (Object.keys(set).length > 0) {
      await errand.turn(limits.tags);
      await call('TagResource', arn, refusals, (limit) =>
        onceClient.send(new TagResourceCommand({ SecretId: arn, Tags: awsTags(set) }), limit),
      );
    }
    if (remove.length > 0) {
      await errand.turn(limits.tags);
      await call('UntagResource', arn, refusals, (limit) =>
        onceClient.send(new UntagResourceCommand({ SecretId: arn, TagKeys: [...remove] }), limit),
      );
    }
  };

const versionTimes =
  ({ client }: SecretsManagerOptions): Destination['versionTimes'] =>
  (arn) =>
    call('ListSecretVersionIds', arn, { codes: CONFLICTS }, async (limit) => {
      const times: number[] = [];
      let NextToken: string | undefined;
      do {
        const all = { SecretId: arn, IncludeDeprecated: true, MaxResults: PAGE_SIZE };
        const more = NextToken === undefined ? {} : { NextToken };
        const page = await client.send(new ListSecretVersionIdsCommand({ ...all, ...more }), limit);
        times.push(...(page.Versions ?? []).flatMap(({ CreatedDate }) => CreatedDate?.getTime() ?? []));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return times;
    });

type Codes = Readonly<Record<string, FailureCode>>;

/** The secret is gone, scheduled for deletion, or back: no longer what was seen. */
const CONFLICTS: Codes = {
  ResourceNotFoundException: 'promotion_conflict',
  InvalidRequestException: 'promotion_conflict',
};
/** Somebody else created it since the look, perhaps we ourselves in another process. */
const CREATE: Codes = { ...CONFLICTS, ResourceExistsException: 'promotion_conflict' };
/** The same id with other bytes can never be put: versions are immutable. */
const PUT: Codes = {
  ...CONFLICTS,
  ResourceExistsException: 'version_id_taken',
  LimitExceededException: 'version_budget',
};
/** A lost swap: AWS documents InvalidParameterException, some emulators answer InvalidRequestException. */
const SWAP: Codes = { ...CONFLICTS, InvalidParameterException: 'promotion_conflict' };

interface Refusals {
  readonly codes?: Codes;
  readonly limiter?: Limiter;
}

async function call<T>(
  operation: string,
  secret: string,
  { codes = {}, limiter }: Refusals,
  send: (options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  try {
    return await send({ abortSignal: AbortSignal.timeout(CALL_LIMIT) });
  } catch (error) {
    const name = sdkErrorName(error);
    const code = codes[name];
    const text = `Secrets Manager answered ${operation} for ${secret} with ${name}`;
    const failure =
      code === undefined ? destinationFailure(error, operation, secret) : new ReplicationError(code, text);
    if (failure.code === 'destination_throttled') limiter?.throttled();
    throw failure;
  }
}

function destinationState(response: DescribeSecretResponse, arn: string): DestinationState {
  return {
    arn,
    tags: Object.fromEntries((response.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
    stages: new Map(Object.entries(response.VersionIdsToStages ?? {})),
    scheduledForDeletion: response.DeletedDate !== undefined,
    rotationEnabled: response.RotationEnabled === true,
    ...(response.OwningService !== undefined && { owningService: response.OwningService }),
    replicas: (response.ReplicationStatus ?? []).map(({ Region = '' }) => Region),
  };
}

const awsTags = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
