import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { listCopies } from '../../src/aws/copies.ts';
import type { ListedCopy } from '../../src/replicate/destination.ts';
import { currentId } from '../../src/replicate/destination.ts';
import { startRoto } from '../servers/roto.ts';
import { awsError, startAwsStandIn } from './stand-in.ts';

const pairs = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const idOf = (name: string) => `v1-${name.replace('/', '-').padEnd(32, '0')}`;

async function all(client: SecretsManagerClient) {
  const copies: ListedCopy[] = [];
  for await (const copy of listCopies(client, 'vault')) copies.push(copy);
  return copies.sort((a, b) => (a.description < b.description ? -1 : 1));
}

t.test('every copy of the vault, page by page, those scheduled for deletion too, and nobody else', async (t) => {
  const roto = await startRoto();
  const client = new SecretsManagerClient(roto.client);
  t.teardown(async () => {
    client.destroy();
    await roto.stop();
  });
  const create = (Name: string, tags: Readonly<Record<string, string>>) => {
    const version = { SecretString: 'x', ClientRequestToken: idOf(Name) };
    return client.send(new CreateSecretCommand({ Name, Description: Name, ...version, Tags: pairs(tags) }));
  };
  const names = Array.from({ length: 130 }, (_, index) => `kv/${String(index).padStart(4, '0')}`);
  for (const name of names) await create(name, { 'vaultferry:vault': 'vault', 'vaultferry:source': name });
  await client.send(new DeleteSecretCommand({ SecretId: names[7], RecoveryWindowInDays: 7 }));
  await create('foreign', {});
  await create('other', { 'vaultferry:vault': 'other' });
  await create('confusing', { 'vaultferry:vault': 'other', team: 'vault' });
  const copies = await all(client);
  t.same(
    copies.map(({ description }) => description),
    names,
  );
  t.match(copies[7], { name: 'kv/0007', scheduledForDeletion: true, tags: { 'vaultferry:source': 'kv/0007' } });
  t.match(copies[8], { name: 'kv/0008', scheduledForDeletion: false, rotationEnabled: false });
  t.ok(copies.every((copy) => copy.arn.startsWith('arn:') && currentId(copy) === idOf(copy.name)));
  t.notOk('owningService' in (copies[8] ?? {}));
});

t.test('failures, by their code', async (t) => {
  const standIn = await startAwsStandIn();
  const client = new SecretsManagerClient({ ...standIn.client, maxAttempts: 1 });
  t.teardown(async () => {
    client.destroy();
    await standIn.close();
  });
  for (const [name, code] of [
    ['ThrottlingException', 'destination_throttled'],
    ['AccessDeniedException', 'destination_forbidden'],
    ['InternalServiceError', 'destination_unavailable'],
  ] as const) {
    standIn.answer(awsError(name, 'canary', name === 'InternalServiceError' ? 500 : 400));
    const error: unknown = await all(client).catch((thrown: unknown) => thrown);
    t.match(error, { code, message: new RegExp(`ListSecrets for the copies of vault "vault" with ${name}`) });
    t.notMatch(String(error), /canary/);
  }
  standIn.answer({ body: {} });
  t.same(await all(client), []);
  const Tags = [{ Key: 'vaultferry:vault', Value: 'vault' }];
  const bare = { arn: '', name: '', description: '', stages: new Map(), scheduledForDeletion: false };
  standIn.answer({ body: { SecretList: [{ Tags }, {}] } });
  t.strictSame(await all(client), [{ ...bare, tags: { 'vaultferry:vault': 'vault' }, rotationEnabled: false }]);
  const SecretVersionsToStages = { a: ['AWSCURRENT', 'VAULTFERRY'], b: ['AWSPREVIOUS'] };
  const more = { SecretVersionsToStages, RotationEnabled: true, OwningService: 'rds', DeletedDate: 1_764_000_000 };
  standIn.answer({ body: { SecretList: [{ Tags, ...more }] } });
  t.match(await all(client), [
    {
      stages: new Map(Object.entries(SecretVersionsToStages)),
      ...{ rotationEnabled: true, owningService: 'rds', scheduledForDeletion: true },
    },
  ]);
});

t.test(
  'who takes the first copy alone makes one call; who goes on has the next page ordered at the second',
  async (t) => {
    const standIn = await startAwsStandIn();
    const client = new SecretsManagerClient({ ...standIn.client, maxAttempts: 1 });
    t.teardown(async () => {
      client.destroy();
      await standIn.close();
    });
    let calls = 0;
    const count = { step: 'initialize' } as const;
    client.middlewareStack.add(
      (next) => (args) => {
        calls += 1;
        return next(args);
      },
      count,
    );
    const Tags = [{ Key: 'vaultferry:vault', Value: 'vault' }];
    const named = (...names: string[]) => names.map((Name) => ({ Name, Tags }));
    standIn.answer({ body: { SecretList: [{ Name: 'foreign' }, ...named('a', 'b', 'c')], NextToken: 'more' } });
    const copies = listCopies(client, 'vault');
    t.match(await copies.next(), { value: { name: 'a' } });
    t.equal(calls, 1);
    standIn.answer({ body: { SecretList: [{ Name: 'foreign' }], NextToken: 'last' } });
    t.match(await copies.next(), { value: { name: 'b' } });
    t.match(await copies.next(), { value: { name: 'c' } });
    t.equal(calls, 2, 'while a page is read, once');
    await copies.return(undefined);
  },
);
