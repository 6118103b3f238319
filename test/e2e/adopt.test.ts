import {
  CreateSecretCommand,
  DescribeSecretCommand,
  type SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { until } from '../servers/until.ts';
import { startWorld } from './world.ts';

const world = await startWorld({});
t.teardown(world.end);
const { aws, equal, ferries, write } = world;
const secrets: SecretsManagerClient = aws.secrets;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await ferries.run([...args, '--json']);
  return { code, stderr, json: stdout === '' ? undefined : JSON.parse(stdout) };
}

async function tagsOf(name: string): Promise<Record<string, string>> {
  const { Tags = [] } = await secrets.send(new DescribeSecretCommand({ SecretId: name }));
  return Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

const create = (name: string, tags: Record<string, string>) =>
  secrets.send(
    new CreateSecretCommand({
      Name: name,
      SecretString: 'theirs',
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );

t.test('what the AWS sample created is refused, adopted on a word, and carried on', async (t) => {
  await create('kv/sample', { version: '41', team: 'x' });
  await write('sample');
  const letter = await until(async () => (await aws.letters())[0], { what: 'a letter that says whose it is' });
  t.match(letter.attributes, { code: 'not_owned', text: /vaultferry adopt/ });
  t.match(await run('adopt', 'kv/sample', 'kv/none'), {
    code: 1,
    json: {
      adopted: [{ ref: 'kv/sample', secretName: 'kv/sample' }],
      refused: [{ ref: 'kv/none', code: 'not_owned' }],
    },
  });
  t.match(await run('adopt', 'kv/sample'), { code: 0, json: { adopted: [], unchanged: [{ ref: 'kv/sample' }] } });
  t.equal((await run('replicate', 'kv/sample')).code, 0);
  await world.copy('kv/sample', ({ value }) => value !== 'theirs');
  t.match(await tagsOf('kv/sample'), { version: '41', team: 'x', 'vaultferry:source': 'kv/sample' });
  t.match(await run('status', 'kv/sample'), { code: 0 });
});

t.test('a released copy is left alone without a letter, until it is taken back', async (t) => {
  await write('leaving');
  await equal(['leaving']);
  await secrets.send(new TagResourceCommand({ SecretId: 'kv/leaving', Tags: [{ Key: 'team', Value: 'x' }] }));
  t.match(await run('release', 'kv/leaving'), { code: 0, json: { released: [{ ref: 'kv/leaving' }] } });
  t.strictSame(await tagsOf('kv/leaving'), { 'vaultferry:released': 'kv/leaving', team: 'x' });
  const before = await secrets.send(new DescribeSecretCommand({ SecretId: 'kv/leaving' }));
  await write('leaving');
  const refused = () =>
    ferries
      .get('ferry')
      .logs()
      .some(({ code }) => code === 'released');
  await until(refused, { what: 'the change to be refused' });
  await world.settled();
  const after = await secrets.send(new DescribeSecretCommand({ SecretId: 'kv/leaving' }));
  t.strictSame(after.VersionIdsToStages, before.VersionIdsToStages);
  t.equal((await aws.letters()).length, 1, 'the one of before');
  t.match(await run('status', 'kv/leaving'), { json: { secrets: [{ state: 'released' }] } });
  t.match(await run('release', 'kv/leaving'), { code: 0, json: { unchanged: [{ ref: 'kv/leaving' }] } });
  t.match(await run('adopt', 'kv/leaving'), { code: 0, json: { adopted: [{ ref: 'kv/leaving' }] } });
  t.notOk('vaultferry:released' in (await tagsOf('kv/leaving')));
  await run('replicate', 'kv/leaving');
  await equal(['leaving']);
});

t.test('all at once: asked first, and then all that are taken or ours', async (t) => {
  const unasked = await ferries.run(['release', '--all']);
  t.match(unasked, { code: 2, stderr: /--yes/ });
  t.match(await ferries.run(['adopt']), { code: 2, stderr: /REFs, or --all/ });
  t.match(await ferries.run(['adopt', 'kv/a', '--all']), { code: 2 });
  const all = await run('release', '--all', '--yes');
  t.equal(all.code, 0, all.stderr);
  t.strictSame(all.json.released.map(({ ref }: { ref: string }) => ref).sort(), ['kv/leaving', 'kv/sample']);
  const back = await run('adopt', '--all', '--yes');
  t.equal(back.code, 0, back.stderr);
  t.strictSame(back.json.adopted.map(({ ref }: { ref: string }) => ref).sort(), ['kv/leaving', 'kv/sample']);
  await run('replicate', 'kv/leaving', 'kv/sample');
  await until(async () => (await run('status')).code === 0, { what: 'both to be in sync again' });
  t.match(await run('release', 'other/x'), { code: 1, stderr: /no route covers it/ });
  t.strictSame(await world.leaks(), []);
});
