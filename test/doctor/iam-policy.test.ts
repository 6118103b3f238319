import { Ajv } from 'ajv';
import t from 'tap';
import type { Role } from '../../src/config/roles.ts';
import { iamPolicy } from '../../src/doctor/iam-policy.ts';
import { configured } from './configured.ts';

const strings = (pattern: string) => ({
  type: 'array',
  minItems: 1,
  uniqueItems: true,
  items: { type: 'string', pattern },
});
/** The grammar of an identity-based policy, as far as this program uses it (IAM JSON policy reference, Grammar). */
const GRAMMAR = {
  type: 'object',
  required: ['Version', 'Statement'],
  additionalProperties: false,
  properties: {
    Version: { const: '2012-10-17' },
    Statement: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['Sid', 'Effect', 'Action', 'Resource'],
        additionalProperties: false,
        properties: {
          Sid: { type: 'string', pattern: '^[A-Za-z0-9]+$' },
          Effect: { const: 'Allow' },
          Action: strings('^(sqs|secretsmanager|kms):[A-Z][A-Za-z]+$'),
          Resource: strings(
            '^(\\*|arn:aws(-cn|-us-gov)?:(sqs|secretsmanager|kms):([a-z]{2}[a-z-]*-\\d|\\*):(\\d{12}|\\*):[^:*?$]+(:[^:$]+|\\*)?)$',
          ),
          Condition: {
            type: 'object',
            minProperties: 1,
            additionalProperties: false,
            patternProperties: {
              '^(ForAnyValue:)?String(Equals|Like)$': {
                type: 'object',
                minProperties: 1,
                additionalProperties: { type: 'string', minLength: 1 },
                propertyNames: {
                  pattern: '^(aws:(RequestTag|ResourceTag)/[A-Za-z:]+|kms:(ViaService|ResourceAliases))$',
                },
              },
            },
          },
        },
      },
    },
  },
};
const isGrammatical = new Ajv({ strict: true, allErrors: true }).compile(GRAMMAR);

const policyOf = (more: Readonly<Record<string, unknown>>, ...roles: Role[]) => {
  const policy = iamPolicy(configured(more), new Set(roles.length === 0 ? ['ingress', 'worker'] : roles));
  t.ok(isGrammatical(policy), JSON.stringify(isGrammatical.errors));
  const sids = policy.Statement.map(({ Sid }) => Sid);
  t.equal(new Set(sids).size, sids.length, 'each Sid once');
  const of = (sid: string) => policy.Statement.find(({ Sid }) => Sid === sid);
  return { sids, of, policy };
};

t.test('an ingress sends, and nothing else', async (t) => {
  const { policy } = policyOf({}, 'ingress');
  t.strictSame(policy.Statement, [
    {
      ...{ Sid: 'SendChanges', Effect: 'Allow', Action: ['sqs:SendMessage'] },
      Resource: ['arn:aws:sqs:eu-west-1:123456789012:vaultferry.fifo'],
    },
  ]);
});

t.test('a worker of plain routes reads no value of a copy, and deletes none', async (t) => {
  const { sids, of, policy } = policyOf({}, 'worker');
  const secrets = ['ListCopies', 'LookAtNames', 'CreateCopies', 'TagWhatIsCreated', 'WriteCopies'];
  t.strictSame(sids, ['WorkOnQueue', 'ParkLetters', ...secrets]);
  t.notMatch(JSON.stringify(policy), /GetSecretValue|DeleteSecret|kms:/);
  t.strictSame(policyOf({}).policy, policy, 'and so does one process of both roles');
  t.match(of('ParkLetters'), { Action: ['sqs:SendMessage', 'sqs:GetQueueAttributes'], Resource: [/-dlq\.fifo$/] });
});

t.test('every write but a creation is bound to the tag; a look at a name is not', async (t) => {
  const { policy } = policyOf({
    vault: { id: 'prod', address: 'https://v:8200', auth: { method: 'token', token: 'x' } },
  });
  const bound = (kind: string) => ({ StringEquals: { [`aws:${kind}/vaultferry:vault`]: 'prod' } });
  for (const { Sid, Action, Condition } of policy.Statement) {
    if (['ListCopies', 'LookAtNames', 'WorkOnQueue', 'ParkLetters'].includes(Sid)) t.equal(Condition, undefined);
    else if (['CreateCopies', 'TagWhatIsCreated'].includes(Sid)) t.strictSame(Condition, bound('RequestTag'));
    else t.strictSame(Condition, bound('ResourceTag'));
    t.notMatch(Action.join(), /\*/);
  }
});

t.test('names are those that the routes make, where they lead', async (t) => {
  const routes = [
    { name: 'a', mount: 'team a', kvVersion: 2, to: ['eu', 'us'] },
    { name: 'b', mount: 'kv', kvVersion: 1, namespace: 'x', as: 'copies/{namespace}/{path}/of', to: ['us'] },
    { name: 'c', mount: 'kv2', kvVersion: 2, namespace: 'x', as: 'copies/{namespace}/{path}', to: ['us'] },
  ];
  const destinations = { eu: { region: 'eu-central-1' }, us: { region: 'us-gov-west-1', onDelete: 'schedule' } };
  const { of } = policyOf({ routes, destinations });
  const us = 'arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:';
  const all = [`arn:aws:secretsmanager:eu-central-1:*:secret:team=20a/*`, `${us}team=20a/*`, `${us}copies/x/*`];
  for (const sid of ['LookAtNames', 'CreateCopies', 'WriteCopies']) t.strictSame(of(sid)?.Resource, all, sid);
  t.strictSame(of('CompareCopiesOfKv1')?.Resource, [`${us}copies/x/*`]);
  t.strictSame(of('DeleteCopies'), {
    ...{ Sid: 'DeleteCopies', Effect: 'Allow', Action: ['secretsmanager:DeleteSecret'] },
    ...{ Resource: all.slice(1), Condition: { StringEquals: { 'aws:ResourceTag/vaultferry:vault': 'vault' } } },
  });
});

t.test('where no region is named, the queue tells the partition', async (t) => {
  const url = 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/vaultferry';
  const { of } = policyOf({
    queue: { url: `${url}.fifo`, deadLetterUrl: `${url}-dlq.fifo` },
    destinations: { default: { kmsKeyId: 'alias/own' } },
  });
  t.strictSame(of('WriteCopies')?.Resource, ['arn:aws-cn:secretsmanager:*:*:secret:kv/*']);
  t.match(of('UseKey1'), { Resource: ['arn:aws-cn:kms:*:*:key/*'] });
});

t.test('keys of its own: by alias, by ARN, by id, and through Secrets Manager alone', async (t) => {
  const at = 'arn:aws:kms:eu-west-1:123456789012:';
  const uuid = '12345678-1234-1234-1234-123456789012';
  const via = { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' };
  const aliased = { StringLike: via, 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/own' } };
  const cases = [
    ['alias/own', 'arn:aws:kms:eu-west-1:*:key/*', aliased],
    [`${at}alias/own`, `${at}key/*`, aliased],
    [`${at}key/${uuid}`, `${at}key/${uuid}`, { StringLike: via }],
    [uuid, `arn:aws:kms:eu-west-1:*:key/${uuid}`, { StringLike: via }],
  ] as const;
  for (const [kmsKeyId, arn, Condition] of cases) {
    const { of } = policyOf({ destinations: { default: { region: 'eu-west-1', kmsKeyId } } });
    t.strictSame(of('UseKey1'), {
      ...{ Sid: 'UseKey1', Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'] },
      ...{ Resource: [arn], Condition },
    });
  }
  const cn = policyOf({ destinations: { default: { region: 'cn-north-1', kmsKeyId: uuid } } }).of('UseKey1');
  t.match(cn, { Condition: { StringLike: { 'kms:ViaService': 'secretsmanager.cn-north-1.amazonaws.com.cn' } } });
});

t.test('the secret with our own credentials may be read by whoever asks Vault', async (t) => {
  const vault = (connectionSecret: string) => ({ vault: { auth: { method: 'token', connectionSecret } } });
  const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:vault-token-AbCdEf';
  const byName = policyOf(vault('vault-token')).of('ReadVaultCredentials');
  t.strictSame(byName?.Resource, ['arn:aws:secretsmanager:*:*:secret:vault-token-??????']);
  t.strictSame(policyOf(vault(arn)).of('ReadVaultCredentials')?.Resource, [arn, `${arn}-??????`]);
  t.equal(policyOf(vault(arn), 'ingress').of('ReadVaultCredentials'), undefined);
  const auto = policyOf({ ...vault(arn), routes: [{ mount: 'kv' }] }, 'ingress');
  t.strictSame(auto.sids, ['SendChanges', 'ReadVaultCredentials']);
});

t.test('of a queue that is not at its usual place, what the URL tells', async (t) => {
  const cases = [
    ['http://127.0.0.1:5000/123456789012/q.fifo', 'arn:aws:sqs:*:123456789012:q.fifo'],
    ['http://localhost/queues/q.fifo', 'arn:aws:sqs:*:*:q.fifo'],
    [
      'https://sqs-fips.us-gov-east-1.amazonaws.com/123456789012/q.fifo',
      'arn:aws-us-gov:sqs:us-gov-east-1:123456789012:q.fifo',
    ],
    [
      'https://vpce-1a.sqs.eu-west-3.vpce.amazonaws.com/123456789012/q.fifo',
      'arn:aws:sqs:eu-west-3:123456789012:q.fifo',
    ],
  ] as const;
  for (const [url, arn] of cases) {
    const { of } = policyOf({ queue: { url, deadLetterUrl: url.replace('q.fifo', 'dlq.fifo') } }, 'ingress');
    t.strictSame(of('SendChanges')?.Resource, [arn]);
  }
});
