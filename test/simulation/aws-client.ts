import type { SecretsManagerClient, Tag } from '@aws-sdk/client-secrets-manager';
import { type Account, type Secret, stagesOf } from '../fakes/account.ts';
import { failures } from './faults.ts';
import type { Ends } from './ports.ts';
import type { Process } from './scheduler.ts';
import { limitOf } from './shim.ts';

/** Entries of one page: few, so that listings have pages. */
const PAGE = 2;
const VERSIONS_PAGE = 40;

/** The members of all inputs that `src` sends. */
interface Input {
  readonly SecretId?: string;
  readonly Name?: string;
  readonly Description?: string;
  readonly ClientRequestToken?: string;
  readonly SecretString?: string;
  readonly VersionStages?: readonly string[];
  readonly VersionId?: string;
  readonly MoveToVersionId?: string;
  readonly RemoveFromVersionId?: string;
  readonly Tags?: readonly Tag[];
  readonly TagKeys?: readonly string[];
  readonly Filters?: readonly { readonly Key?: string; readonly Values?: readonly string[] }[];
  readonly NextToken?: string;
}

interface Context {
  readonly ends: Ends;
  readonly caller: Process;
  readonly account: Account;
}

/** The SDK's client as far as `src` uses it; retries are left out, as each is only one more call. */
export function secretsManager(ends: Ends, caller: Process, account: Account): SecretsManagerClient {
  const send = (command: { readonly input: Input }, options?: { readonly abortSignal?: AbortSignal }) => {
    const operation = command.constructor.name.replace(/Command$/, '');
    const perform = OPERATIONS[operation];
    if (perform === undefined) throw new TypeError(`no such call here: ${operation}`);
    if (operation === 'DeleteSecret') ends.onDeleteSent(caller, command.input.SecretId ?? '');
    return ends.calls.send(caller, {
      port: 'aws',
      operation,
      about: aboutOf(command.input),
      failure: failures.aws,
      limit: limitOf(options?.abortSignal),
      effect: () => perform({ ends, caller, account }, command.input) ?? {},
    });
  };
  return { send } as unknown as SecretsManagerClient;
}

function aboutOf({ SecretId, Name = '', Tags = [], TagKeys = [], ...input }: Input): string {
  const tags = [...Tags.map(({ Key, Value }) => `${Key}=${Value}`), ...TagKeys].join(', ');
  const version = input.ClientRequestToken ?? input.MoveToVersionId ?? '';
  const secret = SecretId?.replace(/^arn:.*:secret:/, 'arn:') ?? Name;
  return [secret, version, tags].filter((text) => text !== '').join(' ');
}

const OPERATIONS: Readonly<Record<string, (context: Context, input: Input) => unknown>> = {
  DescribeSecret({ ends, caller, account }, { SecretId = '' }) {
    const secret = account.describe(SecretId);
    ends.onDescribed(caller, secret);
    return described(secret);
  },
  GetSecretValue: ({ account }, { SecretId = '', VersionId = '' }) => ({
    SecretString: account.value(SecretId, VersionId),
  }),
  ListSecrets: ({ ends, account }, input) => listed(ends, account, input),
  ListSecretVersionIds: ({ account }, input) => versionsOf(account, input),
  CreateSecret({ caller, account }, { Name = '', Description = '', ClientRequestToken = '', SecretString = '', Tags }) {
    const version = { token: ClientRequestToken, value: SecretString };
    account.create(caller.name, Name, { description: Description, tags: record(Tags), ...version });
  },
  PutSecretValue({ caller, account }, { SecretId = '', ClientRequestToken = '', SecretString = '', VersionStages }) {
    account.put(caller.name, SecretId, ClientRequestToken, SecretString, VersionStages?.[0] ?? 'AWSCURRENT');
  },
  UpdateSecretVersionStage({ caller, account }, { SecretId = '', MoveToVersionId = '', RemoveFromVersionId }) {
    account.move(caller.name, SecretId, MoveToVersionId, RemoveFromVersionId);
  },
  RestoreSecret: ({ caller, account }, { SecretId = '' }) => account.restore(caller.name, SecretId),
  DeleteSecret: ({ caller, account }, { SecretId = '' }) => account.delete(caller.name, SecretId),
  TagResource: ({ caller, account }, { SecretId = '', Tags }) => account.tag(caller.name, SecretId, record(Tags)),
  UntagResource: ({ caller, account }, { SecretId = '', TagKeys = [] }) =>
    account.untag(caller.name, SecretId, TagKeys),
};

const record = (tags: readonly Tag[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

const pairs = (tags: ReadonlyMap<string, string>) => [...tags].map(([Key, Value]) => ({ Key, Value }));

const deletedDate = ({ deletedAt }: Pick<Secret, 'deletedAt'>) =>
  deletedAt === undefined ? {} : { DeletedDate: new Date(deletedAt) };

const described = (secret: Secret) => ({
  ARN: secret.arn,
  Name: secret.name,
  Tags: pairs(secret.tags),
  RotationEnabled: secret.rotationEnabled,
  ...deletedDate(secret),
  VersionIdsToStages: stagesOf(secret),
});

/** Filters match key and value by their beginning, and not necessarily of one tag. */
function listed({ listingLag }: Ends, account: Account, { NextToken = '0', Filters = [] }: Input) {
  const filters = new Map(Filters.map(({ Key, Values = [] }) => [Key, Values[0] ?? '']));
  const begins = (texts: Iterable<string>, filter: string) =>
    [...texts].some((text) => text.startsWith(filters.get(filter) ?? ''));
  const all = account
    .list(listingLag)
    .filter(({ tags }) => begins(tags.keys(), 'tag-key') && begins(tags.values(), 'tag-value'));
  const start = Number(NextToken);
  const SecretList = all.slice(start, start + PAGE).map(({ secret, tags, stages, ...state }) => ({
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    Tags: pairs(tags),
    SecretVersionsToStages: stages,
    RotationEnabled: state.rotationEnabled,
    ...deletedDate(state),
  }));
  return { SecretList, ...(start + PAGE < all.length && { NextToken: String(start + PAGE) }) };
}

function versionsOf(account: Account, { SecretId = '', NextToken = '0' }: Input) {
  const all = [...account.describe(SecretId).versions].map(([VersionId, { createdAt }]) => ({
    VersionId,
    CreatedDate: new Date(createdAt),
  }));
  const start = Number(NextToken);
  const more = start + VERSIONS_PAGE < all.length ? { NextToken: String(start + VERSIONS_PAGE) } : {};
  return { Versions: all.slice(start, start + VERSIONS_PAGE), ...more };
}
