import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { until } from '../servers/until.ts';
import { startWorld } from './world.ts';

const world = await startWorld({ routes: [{ mount: 'kv', kvVersion: 2 }] });
t.teardown(world.end);
const { aws, canaries, copy, equal, ferries, settled, write } = world;

const byHand = (Name: string, tags: Readonly<Record<string, string>>) =>
  aws.secrets.send(
    new CreateSecretCommand({
      Name,
      Description: 'made by hand',
      SecretString: 'by hand',
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
const editByHand = (SecretId: string, SecretString = 'edited by hand') =>
  aws.secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
const letterOf = (path: string) =>
  until(async () => (await aws.letters()).find(({ attributes }) => attributes['ref'] === `kv/${path}`), {
    what: `a letter of kv/${path}`,
  });

/** The tags that the copy of this path would have. */
async function ownTags(path: string): Promise<Readonly<Record<string, string>>> {
  await write('model');
  await equal(['model']);
  const { tags } = await copy('kv/model');
  return { ...tags, 'vaultferry:source': `kv/${path}`, version: '1' };
}

const FOREIGN: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
  untagged: undefined,
  'other-vault': { 'vaultferry:vault': 'staging' },
  'other-ref': { 'vaultferry:source': 'kv/another' },
  'other-route': { 'vaultferry:route': 'another' },
  'other-mount': { 'vaultferry:mount': 'kv_00000000 v2' },
};

for (const [path, difference] of Object.entries(FOREIGN)) {
  t.test(`a foreign secret (${path}) is never touched, and its letter says so`, async (t) => {
    const name = `kv/${path}`;
    await byHand(name, difference === undefined ? {} : { ...(await ownTags(path)), ...difference });
    const before = await aws.copy(name);
    await write(path);
    t.match((await letterOf(path)).attributes, { code: 'not_owned', text: new RegExp(name) });
    const url = `kv/metadata/${path}`;
    t.equal((await world.bao.request('DELETE', url)).status, 204);
    await write('marker');
    await equal(['marker']);
    await settled();
    t.strictSame(await aws.copy(name), before);
  });
}

t.test('a secret of exactly our tags is ours', async () => {
  await byHand('kv/adopted', await ownTags('adopted'));
  await write('adopted');
  await equal(['adopted']);
});

t.test("somebody's own tags on a copy stay", async (t) => {
  await write('tagged');
  await equal(['tagged']);
  await aws.secrets.send(new TagResourceCommand({ SecretId: 'kv/tagged', Tags: [{ Key: 'team', Value: 'billing' }] }));
  await write('tagged');
  await equal(['tagged']);
  t.match((await copy('kv/tagged')).tags, { team: 'billing', version: '2' });
});

const scheduleDeletion = (SecretId: string) =>
  aws.secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));

t.test('a copy scheduled for deletion whose source is present is restored', async (t) => {
  await write('scheduled');
  await equal(['scheduled']);
  await scheduleDeletion('kv/scheduled');
  t.match(await copy('kv/scheduled'), { scheduledForDeletion: true });
  await write('scheduled');
  await equal(['scheduled']);
  await scheduleDeletion('kv/scheduled');
  t.match(await ferries.run(['replicate', 'kv/scheduled']), { code: 0 });
  await equal(['scheduled']);
  t.match(await copy('kv/scheduled'), { scheduledForDeletion: false });
});

t.test('a hand edit is overwritten by the next write', async () => {
  await write('edited');
  await equal(['edited']);
  await editByHand('kv/edited');
  await write('edited');
  await equal(['edited']);
});

t.test('and by `replicate`, however often it was edited', async (t) => {
  await write('edited');
  await equal(['edited']);
  for (const edits of [1, 2, 3]) {
    for (let edit = 1; edit <= edits; edit += 1) await editByHand('kv/edited', canaries.next());
    t.match(await ferries.run(['replicate', 'kv/edited']), { code: 0 });
    await equal(['edited']);
  }
  await write('edited-since-it-was-created');
  await equal(['edited-since-it-was-created']);
  await editByHand('kv/edited-since-it-was-created');
  await editByHand('kv/edited-since-it-was-created', 'edited again');
  t.match(await ferries.run(['replicate', 'kv/edited-since-it-was-created']), { code: 0 });
  await equal(['edited-since-it-was-created']);
});

t.test('only the foreign ones have letters, and no value stands where it should not', async (t) => {
  const refs = (await aws.letters()).map(({ attributes }) => attributes['ref']);
  t.strictSame(
    [...new Set(refs)].toSorted(),
    Object.keys(FOREIGN)
      .map((path) => `kv/${path}`)
      .toSorted(),
  );
  t.strictSame(await world.leaks(), []);
});
