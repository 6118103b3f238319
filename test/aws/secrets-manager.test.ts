import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  type ListSecretVersionIdsCommandInput,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import t, { type Test } from 'tap';
import { createSecretsManager, type SecretsManagerOptions } from '../../src/aws/secrets-manager.ts';
import { type FailureCode, ReplicationError } from '../../src/errors.ts';
import { createLimiter, type Limiter } from '../../src/limiter.ts';
import { CURRENT, currentId, type Destination, type Errand, STAGING_LABEL } from '../../src/replicate/destination.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { manualClock } from '../fakes/clock.ts';
import { startRoto } from '../servers/roto.ts';
import { awsError, startAwsStandIn } from './stand-in.ts';

const fresh: Errand = { turn: (limiter, need) => limiter.turn(need) };
const value = (text: string) => new Sensitive(text);

function countingLimiter() {
  const counts = { turns: 0, throttled: 0 };
  const limiter: Limiter = {
    turn: async () => {
      counts.turns += 1;
    },
    giveBack: (calls) => {
      counts.turns -= calls;
    },
    throttled: () => {
      counts.throttled += 1;
    },
  };
  return { limiter, counts };
}

function destinationOf(client: SecretsManagerClient, kmsKeyId?: string) {
  const [versions, creations, tags] = [countingLimiter(), countingLimiter(), countingLimiter()];
  const limits = { versions: versions.limiter, creations: creations.limiter, tags: tags.limiter };
  const key = kmsKeyId === undefined ? {} : { kmsKeyId };
  const destination = createSecretsManager({ client, onceClient: client, limits, ...key });
  return { destination, counts: { versions: versions.counts, creations: creations.counts, tags: tags.counts } };
}

const roto = await startRoto();
const client = new SecretsManagerClient(roto.client);
t.teardown(async () => {
  client.destroy();
  await roto.stop();
});
const { destination, counts } = destinationOf(client);

const token = () => `v1-${randomUUID()}`;

/** A copy of its own for each test. */
async function created(text = '{"a":1}') {
  const name = `kv/${randomUUID()}`;
  const versionId = token();
  const tags = { 'vaultferry:vault': 'vault', version: '1' };
  await destination.create({ name, description: 'kv/x', versionId, value: value(text), tags }, fresh);
  const state = await seen(name);
  return { name, versionId, arn: state.arn };
}

async function seen(name: string) {
  const state = await destination.describe(name);
  if (state === undefined) throw new Error(`${name} is not there`);
  return state;
}

const current = async (name: string) =>
  (await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: CURRENT }))).SecretString;

t.test('what is not there is undefined', async (t) => {
  t.equal(await destination.describe(`kv/${randomUUID()}`), undefined);
});

t.test('a new secret stands with its value, tags and version id', async (t) => {
  const { name, versionId, arn } = await created('{"a":1.0,"b":"é"}');
  const state = await seen(name);
  t.match(arn, /^arn:aws:secretsmanager:.*:secret:kv\//);
  t.same(state.tags, { 'vaultferry:vault': 'vault', version: '1' });
  t.same([...state.stages], [[versionId, [CURRENT]]]);
  t.match(state, { scheduledForDeletion: false, rotationEnabled: false });
  t.notOk('owningService' in state);
  t.equal(await current(name), '{"a":1.0,"b":"é"}');
});

t.test('a secret that somebody else created since the look is a conflict, and stays', async (t) => {
  const { name } = await created('theirs');
  const ours = { name, description: '', versionId: token(), value: value('ours'), tags: {} };
  await t.rejects(destination.create(ours, fresh), { code: 'promotion_conflict' });
  t.equal(await current(name), 'theirs');
});

t.test('a version is put beside the current one, then promoted by compare and swap', async (t) => {
  const { name, versionId, arn } = await created('one');
  const second = token();
  await destination.put(arn, second, value('two'), fresh);
  t.equal(await current(name), 'one');
  t.same((await seen(name)).stages.get(second), [STAGING_LABEL]);
  await destination.promote(arn, second, versionId, fresh);
  t.equal(await current(name), 'two');
  t.equal(currentId(await seen(name)), second);
});

t.test('a lost swap is a conflict, and changes nothing', async (t) => {
  const { name, versionId, arn } = await created('one');
  const [second, third] = [token(), token()];
  await destination.put(arn, second, value('two'), fresh);
  await destination.promote(arn, second, versionId, fresh);
  await destination.put(arn, third, value('three'), fresh);
  await t.rejects(destination.promote(arn, third, versionId, fresh), { code: 'promotion_conflict' });
  t.equal(await current(name), 'two');
});

t.test('of many swaps from one look exactly one wins', async (t) => {
  const { name, versionId, arn } = await created('0');
  const rivals = await Promise.all(
    Array.from({ length: 5 }, async (_, index) => {
      const id = token();
      await destination.put(arn, id, value(String(index + 1)), fresh);
      return id;
    }),
  );
  const results = await Promise.allSettled(rivals.map((id) => destination.promote(arn, id, versionId, fresh)));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  t.ok(rivals.includes(currentId(await seen(name)) ?? ''));
});

t.test('the same id and bytes are put once, however often; with other bytes the id is taken', async (t) => {
  const { name, arn } = await created();
  const id = token();
  await destination.put(arn, id, value('same'), fresh);
  await destination.put(arn, id, value('same'), fresh);
  const rejected = destination.put(arn, id, value('canary'), fresh);
  await t.rejects(rejected, { code: 'version_id_taken' });
  t.notMatch(String(await rejected.catch(String)), /canary/);
  const { Versions = [] } = await client.send(new ListSecretVersionIdsCommand({ SecretId: name }));
  t.equal(Versions.length, 2);
});

t.test('a secret that is gone is a conflict to every write', async (t) => {
  const { name, versionId, arn } = await created();
  await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
  const conflict = { code: 'promotion_conflict' };
  await t.rejects(destination.put(arn, token(), value('x'), fresh), conflict);
  await t.rejects(destination.promote(arn, token(), versionId, fresh), conflict);
  await t.rejects(destination.restore(arn, fresh), conflict);
  await t.rejects(destination.retag(arn, { set: { a: 'b' }, remove: [] }, fresh), conflict);
  await t.rejects(destination.retag(arn, { set: {}, remove: ['a'] }, fresh), conflict);
  t.equal(await destination.describe(name), undefined);
});

t.test('one that is scheduled for deletion is seen so, takes no version, and can be restored', async (t) => {
  const { name, versionId, arn } = await created('one');
  await client.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 7 }));
  t.match(await seen(name), { scheduledForDeletion: true, arn });
  await t.rejects(destination.put(arn, token(), value('two'), fresh), { code: 'promotion_conflict' });
  await t.rejects(
    destination.create({ name, description: '', versionId: token(), value: value('x'), tags: {} }, fresh),
    {
      code: 'promotion_conflict',
    },
  );
  await destination.restore(arn, fresh);
  t.match(await seen(name), { scheduledForDeletion: false });
  t.equal(currentId(await seen(name)), versionId);
  await destination.put(arn, token(), value('two'), fresh);
});

t.test('tags are set and removed, others stay', async (t) => {
  const { name, arn } = await created();
  await destination.retag(arn, { set: { version: '2', new: 'é' }, remove: [] }, fresh);
  t.same((await seen(name)).tags, { 'vaultferry:vault': 'vault', version: '2', new: 'é' });
  const before = counts.tags.turns;
  await destination.retag(arn, { set: { version: '3' }, remove: ['new', 'never'] }, fresh);
  t.same((await seen(name)).tags, { 'vaultferry:vault': 'vault', version: '3' });
  t.equal(counts.tags.turns, before + 2);
  await destination.retag(arn, { set: {}, remove: [] }, fresh);
  t.equal(counts.tags.turns, before + 2, 'nothing to do is no call');
});

t.test('what is no longer fresh is not sent', async (t) => {
  const { name, versionId, arn } = await created('one');
  const second = token();
  await destination.put(arn, second, value('two'), fresh);
  const stale: Errand = {
    turn: async () => {
      throw new ReplicationError('promotion_conflict', 'too old');
    },
  };
  const tooOld = { message: 'too old' };
  await t.rejects(destination.promote(arn, second, versionId, stale), tooOld);
  await t.rejects(destination.retag(arn, { set: { a: 'b' }, remove: ['version'] }, stale), tooOld);
  t.equal(await current(name), 'one');
  await t.rejects(destination.scheduleDeletion(arn, 7, stale), tooOld);
  t.match(await seen(name), { tags: { version: '1' }, scheduledForDeletion: false });
  await client.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 7 }));
  await t.rejects(destination.restore(arn, stale), tooOld);
  t.match(await seen(name), { scheduledForDeletion: true });
});

t.test('a foreign secret re-created under the name is not hit by what goes to the ARN', async (t) => {
  const { name, arn } = await created('ours');
  await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
  await client.send(new CreateSecretCommand({ Name: name, SecretString: 'theirs' }));
  await t.rejects(destination.put(arn, token(), value('ours again'), fresh), { code: 'promotion_conflict' });
  t.equal(await current(name), 'theirs');
});

t.test('a deletion is scheduled by the ARN with its recovery window, and can be undone', async (t) => {
  const { name, versionId, arn } = await created('one');
  const before = counts.creations.turns;
  await destination.scheduleDeletion(arn, 9, fresh);
  t.equal(counts.creations.turns, before + 1);
  t.match(await seen(name), { scheduledForDeletion: true, arn });
  await destination.restore(arn, fresh);
  t.match(await seen(name), { scheduledForDeletion: false });
  t.equal(currentId(await seen(name)), versionId);
});

t.test('a sweep that deletes keeps no new secret waiting: its deletions stand in line', async (t) => {
  const clock = manualClock();
  const creations = createLimiter(5, clock);
  const sent: string[] = [];
  const client = { send: async ({ constructor: { name } }: object) => void sent.push(name) };
  const unused = countingLimiter().limiter;
  const both = { client, onceClient: client } as unknown as Pick<SecretsManagerOptions, 'client' | 'onceClient'>;
  const there = createSecretsManager({ ...both, limits: { versions: unused, creations, tags: unused } });
  for (let n = 0; n < 80; n += 1) {
    if (n === 40) void there.create({ ...NEW, name: 'new' }, fresh);
    void there.scheduleDeletion(ARN, 7, fresh);
    await clock.advance(100);
  }
  t.equal(sent.indexOf('CreateSecretCommand'), 40, 'as it came');
});

t.test('the deletion of what is gone, or of a foreign secret under the name, is a conflict', async (t) => {
  const { name, arn } = await created('ours');
  await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
  await t.rejects(destination.scheduleDeletion(arn, 7, fresh), { code: 'promotion_conflict' });
  await client.send(new CreateSecretCommand({ Name: name, SecretString: 'theirs' }));
  await t.rejects(destination.scheduleDeletion(arn, 7, fresh), { code: 'promotion_conflict' });
  t.equal(await current(name), 'theirs');
});

t.test('what a deletion asks for goes through the client without retries', async (t) => {
  const asked: unknown[] = [];
  const never = { send: () => t.fail('it must not be sent twice') } as unknown as SecretsManagerClient;
  const once = { send: async ({ input }: DeleteSecretCommand) => void asked.push(input) };
  const limits = { versions: countingLimiter(), creations: countingLimiter(), tags: countingLimiter() };
  await createSecretsManager({
    client: never,
    onceClient: once as unknown as SecretsManagerClient,
    limits: {
      versions: limits.versions.limiter,
      creations: limits.creations.limiter,
      tags: limits.tags.limiter,
    },
  }).scheduleDeletion(ARN, 30, fresh);
  t.strictSame(asked, [{ SecretId: ARN, RecoveryWindowInDays: 30 }], 'and nothing is forced');
  t.same(limits.creations.counts, { turns: 1, throttled: 0 });
});

t.test('the regions of replicas are told', async (t) => {
  const standIn = await startAwsStandIn();
  const sdk = new SecretsManagerClient({ ...standIn.client, maxAttempts: 1 });
  t.teardown(async () => {
    sdk.destroy();
    await standIn.close();
  });
  const { describe } = destinationOf(sdk).destination;
  standIn.answer({ body: { ARN, ReplicationStatus: [{ Region: 'eu-west-1', Status: 'InSync' }, {}] } });
  t.strictSame((await describe('kv/app'))?.replicas, ['eu-west-1', '']);
  standIn.answer({ body: { ARN } });
  t.strictSame((await describe('kv/app'))?.replicas, []);
  standIn.answer({ body: {} });
  t.equal(await describe('kv/app'), undefined);
});

t.test('the times of all versions, those without a label too', async (t) => {
  const before = Date.now();
  const { arn } = await created('0');
  for (let n = 1; n < 6; n += 1) await destination.put(arn, token(), value(String(n)), fresh);
  const times = await destination.versionTimes(arn);
  t.equal(times.length, 6);
  t.ok(
    times.every((time) => time > before - 2_000 && time < Date.now() + 2_000),
    'in ms since the epoch',
  );
  await client.send(new DeleteSecretCommand({ SecretId: arn, ForceDeleteWithoutRecovery: true }));
  await t.rejects(destination.versionTimes(arn), { code: 'promotion_conflict' });
});

/** Pages as the API reference describes them; one version has no date. */
const PAGES: Readonly<Record<string, object>> = {
  '': { Versions: [{ VersionId: 'a', CreatedDate: new Date(1_000) }, { VersionId: 'b' }], NextToken: 'one' },
  one: { NextToken: 'two' },
  two: { Versions: [{ VersionId: 'c', CreatedDate: new Date(2_500) }] },
};

t.test('the versions are asked for page by page', async (t) => {
  const asked: ListSecretVersionIdsCommandInput[] = [];
  const paging = {
    send: async ({ input }: ListSecretVersionIdsCommand) => {
      asked.push(input);
      return PAGES[input.NextToken ?? ''];
    },
  } as unknown as SecretsManagerClient;
  t.same(await destinationOf(paging).destination.versionTimes(ARN), [1_000, 2_500]);
  const all = { SecretId: ARN, IncludeDeprecated: true, MaxResults: 100 };
  t.same(asked, [all, { ...all, NextToken: 'one' }, { ...all, NextToken: 'two' }]);
});

t.test('the key is named where one is configured', async (t) => {
  const { destination: keyed } = destinationOf(client, 'alias/hybrid-aws-secrets');
  const name = `kv/${randomUUID()}`;
  await keyed.create({ name, description: '', versionId: token(), value: value('x'), tags: {} }, fresh);
  t.equal(currentId(await seen(name))?.slice(0, 3), 'v1-');
});

const NOBODY = { versions: 0, creations: 0, tags: 0 };

const LIMITED = {
  DescribeSecret: {},
  GetSecretValue: {},
  CreateSecret: { creations: 1 },
  PutSecretValue: { versions: 1 },
  UpdateSecretVersionStage: { versions: 1 },
  RestoreSecret: { creations: 1 },
  DeleteSecret: { creations: 1 },
  TagResource: { tags: 1 },
  UntagResource: { tags: 1 },
  ListSecretVersionIds: {},
} as const;

type Operation = keyof typeof LIMITED;

const OPERATIONS = Object.keys(LIMITED) as Operation[];

type Call = (destination: Destination) => Promise<unknown>;

const ARN = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:kv/app-abcdef';
const NEW = { name: 'kv/app', description: '', versionId: token(), value: value('canary-value'), tags: {} };

const CALLS: Readonly<Record<Operation, Call>> = {
  DescribeSecret: ({ describe }) => describe('kv/app'),
  GetSecretValue: ({ value: read }) => read(ARN, token()),
  CreateSecret: ({ create }) => create(NEW, fresh),
  PutSecretValue: ({ put }) => put(ARN, token(), value('canary-value'), fresh),
  UpdateSecretVersionStage: ({ promote }) => promote(ARN, token(), token(), fresh),
  RestoreSecret: ({ restore }) => restore(ARN, fresh),
  DeleteSecret: ({ scheduleDeletion }) => scheduleDeletion(ARN, 7, fresh),
  TagResource: ({ retag }) => retag(ARN, { set: { a: 'b' }, remove: [] }, fresh),
  UntagResource: ({ retag }) => retag(ARN, { set: {}, remove: ['a'] }, fresh),
  ListSecretVersionIds: ({ versionTimes }) => versionTimes(ARN),
};

const QUOTING = 'the value {"password":"canary-value"} was refused';

/** Makes calls to a stand-in; gives what they threw, and how often each limiter was told of throttling. */
async function standInHouse(t: Test) {
  const standIn = await startAwsStandIn();
  const short = { requestTimeout: 150, connectionTimeout: 150, throwOnRequestTimeout: true };
  const sdk = new SecretsManagerClient({ ...standIn.client, maxAttempts: 1, requestHandler: short });
  t.teardown(async () => {
    sdk.destroy();
    await standIn.close();
  });
  const failure = async (operation: Operation) => {
    const { destination: one, counts: told } = destinationOf(sdk);
    const error: unknown = await CALLS[operation](one).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    t.notMatch(JSON.stringify([error, String(error), (error as Error).cause ?? '']), /canary/);
    const { versions, creations, tags } = told;
    return { error, throttled: { versions: versions.throttled, creations: creations.throttled, tags: tags.throttled } };
  };
  return { answer: standIn.answer, failure };
}

t.test('a version is read by its id; bytes are no text', async (t) => {
  const { arn, versionId, name } = await created('{"a":1}');
  const other = token();
  await destination.put(arn, other, value('{"a":2}'), fresh);
  t.equal((await destination.value(arn, versionId))?.reveal(), '{"a":1}');
  t.equal((await destination.value(arn, other))?.reveal(), '{"a":2}');
  const ClientRequestToken = token();
  const bytes = { SecretId: name, SecretBinary: Buffer.from('{"a":1}'), ClientRequestToken };
  await client.send(new PutSecretValueCommand(bytes));
  t.equal(await destination.value(arn, ClientRequestToken), undefined);
  await t.rejects(destination.value(arn, token()), { code: 'promotion_conflict' }, 'no such version');
  await client.send(new DeleteSecretCommand({ SecretId: arn }));
  await t.rejects(destination.value(arn, versionId), { code: 'promotion_conflict' }, 'scheduled for deletion');
  await t.rejects(destination.value(`${ARN}x`, versionId), { code: 'promotion_conflict' }, 'no such secret');
});

t.test('a role that may not read values is told which permission version 1 needs', async (t) => {
  const { answer, failure } = await standInHouse(t);
  for (const name of ['AccessDeniedException', 'DecryptionFailure']) {
    answer(awsError(name, QUOTING));
    const { error } = await failure('GetSecretValue');
    t.match(error, { code: 'destination_forbidden', message: /KV version 1 need secretsmanager:GetSecretValue/ });
    const put = await failure('PutSecretValue');
    t.notMatch((put.error as Error).message, /GetSecretValue/);
  }
});

t.test('what AWS refuses to any call, by its code', async (t) => {
  const { answer, failure } = await standInHouse(t);
  for (const [name, code] of [
    ['AccessDeniedException', 'destination_forbidden'],
    ['EncryptionFailure', 'destination_forbidden'],
    ['ValidationException', 'destination_rejected'],
    ['InternalServiceError', 'destination_unavailable'],
    ['ExpiredTokenException', 'destination_unavailable'],
    ['UnrecognizedClientException', 'destination_unavailable'],
  ] as const) {
    answer(awsError(name, QUOTING, name === 'InternalServiceError' ? 500 : 400));
    for (const operation of OPERATIONS) {
      const { error, throttled } = await failure(operation);
      t.match(error, { code, message: new RegExp(`${operation} for .*kv/app.* with ${name}`) });
      t.same(throttled, NOBODY, `${operation} and ${name}`);
    }
  }
});

t.test('throttling is told to the limiter of the quota that was used up, and to no other', async (t) => {
  const { answer, failure } = await standInHouse(t);
  for (const name of ['ThrottlingException', 'TooManyRequestsException']) {
    answer(awsError(name, QUOTING));
    for (const operation of OPERATIONS) {
      const { error, throttled } = await failure(operation);
      t.match(error, { code: 'destination_throttled' });
      t.same(throttled, { ...NOBODY, ...LIMITED[operation] }, `${operation} and ${name}`);
    }
  }
});

t.test('what means something of its own to one call', async (t) => {
  const { answer, failure } = await standInHouse(t);
  const special: readonly (readonly [Operation, string, FailureCode])[] = [
    ['PutSecretValue', 'LimitExceededException', 'version_budget'],
    ['PutSecretValue', 'ResourceExistsException', 'version_id_taken'],
    ['PutSecretValue', 'InvalidParameterException', 'destination_rejected'],
    ['CreateSecret', 'ResourceExistsException', 'promotion_conflict'],
    ['CreateSecret', 'LimitExceededException', 'destination_unavailable'],
    ['UpdateSecretVersionStage', 'InvalidParameterException', 'promotion_conflict'],
    ['UpdateSecretVersionStage', 'InvalidRequestException', 'promotion_conflict'],
    ['UpdateSecretVersionStage', 'ResourceNotFoundException', 'promotion_conflict'],
    ['TagResource', 'InvalidParameterException', 'destination_rejected'],
    ['DeleteSecret', 'InvalidRequestException', 'promotion_conflict'],
    ['DeleteSecret', 'ResourceNotFoundException', 'promotion_conflict'],
    ['DeleteSecret', 'InvalidParameterException', 'destination_rejected'],
  ];
  for (const [operation, name, code] of special) {
    answer(awsError(name, QUOTING));
    const { error } = await failure(operation);
    t.match(error, { code, message: new RegExp(`${operation} for .* with ${name}`) }, `${operation} and ${name}`);
  }
});

t.test('no answer, a cut connection, and what is no answer of AWS', async (t) => {
  const { answer, failure } = await standInHouse(t);
  for (const [given, code] of [
    [{ act: 'hang' }, 'destination_unavailable'],
    [{ act: 'reset' }, 'destination_unavailable'],
    [{ status: 500, body: '<html>canary</html>' }, 'destination_unavailable'],
    [{ status: 200, body: 'canary' }, 'destination_unavailable'],
    [{ status: 429, body: {} }, 'destination_throttled'],
  ] as const) {
    answer(given);
    for (const operation of ['DescribeSecret', 'PutSecretValue'] as const) {
      t.match((await failure(operation)).error, { code }, JSON.stringify(given));
    }
  }
});
