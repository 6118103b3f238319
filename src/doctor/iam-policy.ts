import type { Config, DestinationConfig, RouteConfig } from '../config/config.ts';
import type { Role } from '../config/roles.ts';
import { secretName } from '../replicate/name.ts';
import { TAG_VAULT } from '../replicate/tags.ts';
import { partitionOf, queuePlace, secretArn } from './arns.ts';
import { keyStatements } from './iam-keys.ts';

export interface IamStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** An identity-based policy (IAM JSON policy reference). */
export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly IamStatement[];
}

type Configured = Pick<Config, 'vault' | 'queue' | 'routes' | 'destinations'>;

/**
 * The least that `vaultferry serve` needs of AWS in these roles. Each write is bound to the tag that names this vault, so
 * that IAM itself keeps foreign secrets safe; looks and creations are bound to the names that the routes make.
 */
export function iamPolicy(config: Configured, roles: ReadonlySet<Role>): IamPolicy {
  const statements = roles.has('worker') ? workerStatements(config) : ingressStatements(config);
  return { Version: '2012-10-17', Statement: statements.filter(({ Resource }) => Resource.length > 0) };
}

/** Only a route of `auto` makes an ingress ask Vault for anything. */
function ingressStatements(config: Configured): IamStatement[] {
  const asksVault = config.routes.some(({ kvVersion }) => kvVersion === 'auto');
  const send = allow('SendChanges', ['sqs:SendMessage'], [queuePlace(config.queue.url).arn]);
  return [send, ...(asksVault ? credentials(config) : [])];
}

const workerStatements = (config: Configured): IamStatement[] => [
  ...queueStatements(config),
  ...secretStatements(config),
  ...keyStatements(config.destinations, queuePlace(config.queue.url).partition),
  ...credentials(config),
];

function queueStatements({ queue }: Configured): IamStatement[] {
  const own = ['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'];
  const park = ['SendMessage', 'GetQueueAttributes'];
  return [
    allow('WorkOnQueue', calls('sqs', own), [queuePlace(queue.url).arn]),
    allow('ParkLetters', calls('sqs', park), [queuePlace(queue.deadLetterUrl).arn]),
  ];
}

function secretStatements(config: Configured): IamStatement[] {
  const { vault } = config;
  const all = copies(config);
  const isV1 = ({ kvVersion }: RouteConfig) => kvVersion === 1;
  const kv1 = copies(config, isV1);
  const deleted = copies(
    config,
    () => true,
    ({ onDelete }) => onDelete === 'schedule',
  );
  const asked = { StringEquals: { [`aws:RequestTag/${TAG_VAULT}`]: vault.id } };
  const owned = { StringEquals: { [`aws:ResourceTag/${TAG_VAULT}`]: vault.id } };
  return [
    allow('ListCopies', ['secretsmanager:ListSecrets'], ['*']), // it knows no resource
    allow('LookAtNames', ['secretsmanager:DescribeSecret'], all),
    allow('CreateCopies', ['secretsmanager:CreateSecret'], all, asked),
    allow('TagWhatIsCreated', ['secretsmanager:TagResource'], all, asked),
    allow('WriteCopies', calls('secretsmanager', WRITES), all, owned),
    allow('CompareCopiesOfKv1', ['secretsmanager:GetSecretValue'], kv1, owned),
    allow('DeleteCopies', ['secretsmanager:DeleteSecret'], deleted, owned),
  ];
}

const WRITES = [
  ...['PutSecretValue', 'UpdateSecretVersionStage', 'ListSecretVersionIds'],
  ...['RestoreSecret', 'TagResource', 'UntagResource'],
];

/** The secret that holds our own Vault credentials, where there is one. A name's ARN ends in six more characters. */
function credentials({ vault, queue }: Configured): IamStatement[] {
  const id = vault.auth?.connectionSecret;
  if (id === undefined) return [];
  const { partition } = queuePlace(queue.url);
  const arns = id.startsWith('arn:') ? [id, `${id}-??????`] : [secretArn(partition, undefined, `${id}-??????`)];
  return [allow('ReadVaultCredentials', ['secretsmanager:GetSecretValue'], arns)];
}

/** The ARNs of all names that the routes make at the destinations. */
function copies(
  { routes, destinations, queue }: Configured,
  isRoute: (route: RouteConfig) => boolean = () => true,
  isDestination: (destination: DestinationConfig) => boolean = () => true,
): string[] {
  const { partition } = queuePlace(queue.url);
  const arns = routes.filter(isRoute).flatMap((route) =>
    route.to.flatMap((name) => {
      const destination = destinations[name];
      if (destination === undefined || !isDestination(destination)) return [];
      const { region } = destination;
      return [secretArn(partitionOf(region) ?? partition, region, `${namePrefix(route)}*`)];
    }),
  );
  return [...new Set(arns)];
}

/** How each name that the route makes begins. */
function namePrefix({ as, namespace, mount }: RouteConfig): string {
  const [fixed = ''] = as.split('{path}');
  return secretName(fixed, { namespace, mount, path: '' });
}

const calls = (service: string, names: readonly string[]): string[] => names.map((name) => `${service}:${name}`);

const allow = (
  Sid: string,
  Action: readonly string[],
  Resource: readonly string[],
  Condition?: NonNullable<IamStatement['Condition']>,
): IamStatement => ({ Sid, Effect: 'Allow', Action, Resource, ...(Condition !== undefined && { Condition }) });
