import { randomBytes } from 'node:crypto';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { parse } from 'yaml';
import { startMiniStack } from '../servers/ministack.ts';
import { startOpenBao } from '../servers/openbao.ts';
import { startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';
import { createAws } from './aws.ts';
import { createCanaries } from './canaries.ts';
import { createFerries, type Sections } from './ferries.ts';
import { openShell, readRunbook } from './runbook.ts';
import { configOf, policyFor, prepare, type RouteSection } from './setting.ts';
import { readSource } from './source.ts';

const MOUNT = 'hybrid-aws-secrets';
const token = `replicator-${randomBytes(12).toString('hex')}`;
const { yaml, blocks } = await readRunbook('from-the-aws-sample.md');
const { routes, destinations } = parse(yaml) as { routes: RouteSection[]; destinations: Sections };

const [roto, events, bao] = await Promise.all([startRoto({}), startMiniStack(), startOpenBao()]);
const queues = await roto.createQueues({ name: 'sample' });
const over = {
  ...{ ingress: false, sweep: { every: '30d' }, destinations },
  vault: { auth: { method: 'token', token } },
};
const vaultPort = Number(new URL(bao.address).port);
const configText = configOf({ over, routes, queues, vaultPort, socket: { address: '' } });
// MiniStack has EventBridge, which roto has not; roto's Secrets Manager is the one whose versions are as AWS's.
const env = { ...roto.env, AWS_ENDPOINT_URL_EVENTBRIDGE: events.endpoint };
const ferries = await createFerries(configText, env, () => undefined);
const shell = await openShell({ ...env, VAULTFERRY_CONFIG: configText({}) });
const aws = createAws(roto.client, queues);
const canaries = createCanaries();
t.teardown(async () => {
  await Promise.all([ferries.end(), shell.end()]);
  aws.close();
  await Promise.all([bao.stop(), roto.end(), events.stop()]);
});
await prepare(bao, routes, token, policyFor(routes));

const step = (heading: string, block = 0) => shell.run(blocks.get(heading)?.[block]);
const first = () => aws.copy(`${MOUNT}/first`);
const versionOf = async (path: string) => (await readSource(bao, { mount: MOUNT, path }))?.version;

/** As the sample creates a secret: the value that JSON.stringify makes of what Vault has, and one tag. */
async function asTheSample(name: string, value: unknown, version: string) {
  const Tags = [{ Key: 'version', Value: version }];
  await aws.secrets.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(value), Tags }));
}

async function sampleHasRun() {
  for (const path of ['first', 'second']) {
    const value = { password: canaries.next() };
    await bao.put(MOUNT, path, value);
    await asTheSample(`${MOUNT}/${path}`, value, '1');
  }
  await bao.put(MOUNT, 'folder/deep', { password: canaries.next() });
  await asTheSample(`${MOUNT}/gone`, { password: canaries.next() }, '7');
  await shell.run(
    "aws events put-rule --name SecretsManagerReplication-syncScheduler8D1A --schedule-expression 'cron(0,30 * * * ? *)'",
  );
}

t.test('the page has these blocks, and the test runs them all', async (t) => {
  const headings = [
    ...['1. Stop the sample', '2. See what would be taken over', '3. Take one over', '4. Take over the rest'],
    ...['5. Start VaultFerry', '6. Check', '7. Perhaps: let VaultFerry count', 'The way back'],
  ];
  t.strictSame(
    [...blocks].map(([heading, { length }]) => [heading, length]),
    headings.map((heading) => [heading, 1]),
  );
});

t.test('the sample is stopped, and what is taken over is told beforehand', async (t) => {
  await sampleHasRun();
  t.match(await step('1. Stop the sample'), { code: 0, stdout: /syncScheduler8D1A\tDISABLED\n$/ });
  const { code, stdout } = await step('2. See what would be taken over');
  t.equal(code, 3);
  t.match(stdout, /^hybrid-aws-secrets\/gone$/m);
  t.match(stdout, /^adopt +hybrid-aws-secrets\/first /m);
  t.match(stdout, /^adopt +hybrid-aws-secrets\/second /m);
  t.match(stdout, /^create +hybrid-aws-secrets\/folder\/deep /m);
  t.notMatch(stdout, /^\w+ +hybrid-aws-secrets\/gone /m);
});

t.test('adoption gives tags and nothing else, to one and then to all', async (t) => {
  const before = await first();
  const one = await step('3. Take one over');
  t.match(one, { code: 0, stdout: /^adopted hybrid-aws-secrets\/first / });
  t.match(one.stdout, /^version\t1$/m);
  t.match(one.stdout, /^vaultferry:keeps\tversion$/m);
  const after = await first();
  t.strictSame({ ...after, tags: {} }, { ...before, tags: {} });
  const all = await step('4. Take over the rest');
  t.match(all, { code: 3, stdout: /^adopted hybrid-aws-secrets\/second / });
  t.match(all.stdout, /first +default +edited by hand /);
});

t.test('VaultFerry carries on what the sample had, and the tag stays at its number', async (t) => {
  await bao.put(MOUNT, 'first', { password: canaries.next() });
  await ferries.start('ferry');
  t.match(await step('5. Start VaultFerry'), { code: 0 });
  const inSync = async () => (await ferries.run(['status'])).code === 0;
  await until(inSync, { what: 'all to be in sync', deadline: 30_000, interval: 500 });
  const checked = await step('6. Check');
  t.match(checked, { code: 0, stdout: /^3 in sync$/m });
  t.match(await first(), { tags: { version: '1', 'vaultferry:keeps': 'version' } });
  t.match(await aws.copy(`${MOUNT}/gone`), { tags: { version: '7' }, scheduledForDeletion: false });
});

t.test('the tag may be VaultFerry’s, if it is wished', async (t) => {
  t.match(await step('7. Perhaps: let VaultFerry count'), { code: 0 });
  const counted = async () => (await first())?.tags['version'] === String(await versionOf('first'));
  await until(counted, { what: 'the tag to follow Vault' });
});

t.test('the way back: the sample would write each of its secrets anew', async (t) => {
  await ferries.get('ferry').stop();
  const value = (await first())?.value;
  t.match(await step('The way back'), { code: 0 });
  for (const path of ['first', 'second', 'folder/deep']) {
    const { tags } = (await aws.copy(`${MOUNT}/${path}`)) ?? {};
    t.strictSame(Object.keys(tags ?? {}).sort(), ['vaultferry:released', 'version'], path);
    t.equal(tags?.['version'], '0', 'which is no version of Vault’s');
  }
  t.equal((await first())?.value, value);
  const rule = await shell.run('aws events list-rules --query "Rules[].State" --output text');
  t.equal(rule.stdout, 'ENABLED\n');
  t.strictSame(
    [...shell.printed(), ...ferries.said()].flatMap((text) => canaries.spellingsIn(text)),
    [],
    'no value was printed',
  );
});
