import t from 'tap';
import { openShell, readRunbook } from './runbook.ts';
import { sweepOnce } from './sweeping.ts';
import { startWorld } from './world.ts';

const MOUNT = 'hybrid-aws-secrets';
const NAME = `${MOUNT}/app/db`;
const AT = { mount: MOUNT, path: 'app/db' };
const OTHER = { mount: MOUNT, path: 'other' };

const world = await startWorld({ routes: [{ mount: MOUNT, kvVersion: 2 }] });
const { aws, bao, canaries, copy, equal, ferries, roto, settled, write } = world;
const { blocks } = await readRunbook('leaving-vault.md');
// The worker's token stands in the configuration: $VAULT_TOKEN is the operator's own, for `vault`.
const VAULTFERRY_CONFIG = world.configText({ vault: { auth: { method: 'token', token: world.token } } });
const env = { ...roto.env, VAULTFERRY_CONFIG, VAULT_ADDR: bao.address, VAULT_TOKEN: bao.rootToken };
const shell = await openShell(env);
t.teardown(async () => {
  await shell.end();
  await world.end();
});

const step = (heading: string, block = 0) => shell.run(blocks.get(heading)?.[block]);
const refusals = () =>
  ferries
    .get('ferry')
    .logs()
    .filter(({ event, code }) => event === 'secret.refused' && code === 'released').length;

async function letGo() {
  const whole = await step('1. See that the copy is whole');
  t.match(whole, { code: 0, stdout: /1 of 1 secret in sync/ });
  const released = await step('2. Let it go');
  t.match(released, { code: 0, stdout: /^released .*\nvaultferry:released\thybrid-aws-secrets\/app\/db\n$/ });
}

t.test('the page has these blocks, and the test runs them all', async (t) => {
  t.strictSame(
    [...blocks].map(([heading, { length }]) => [heading, length]),
    [
      ...[['1. See that the copy is whole', 1] as const, ['2. Let it go', 1] as const, ['3. Prove it', 2] as const],
      ...[['4. Use it in AWS', 2] as const, ['5. Take it from Vault', 1] as const],
      ...[['6. Remove the last trace', 1] as const, ['The last ones', 1] as const],
    ],
  );
});

t.test('a copy is let go, and no later write reaches it', async (t) => {
  await write(AT);
  await write(OTHER);
  await equal([AT, OTHER]);
  const { value } = await copy(NAME);
  await letGo();

  t.match(await step('3. Prove it'), { code: 0, stdout: /queued hybrid-aws-secrets\/app\/db/ });
  await settled();
  t.ok(refusals() > 0, 'a worker has looked, and refused');
  const proven = await step('3. Prove it', 1);
  t.match(proven.stdout, /^nothing was written\n/);
  t.match(proven.stdout, /no dead letters/);
  t.match(proven.stdout, /app\/db +default +released +v2 +v1 /);
  t.match(proven.stdout, /^1 let go, 1 in sync$/m);
  t.equal(proven.code, 0, 'a secret that was let go is no drift');
  t.equal((await copy(NAME)).value, value);
});

t.test('what is changed in AWS stays, until it is taken back', async (t) => {
  t.match(await step('4. Use it in AWS'), { code: 0 });
  t.match(await sweepOnce(world, 'ferry'), { enqueued: [], finished: { result: 'complete' } });
  t.equal((await copy(NAME)).value, '{"password":"new"}');
  t.match(await step('4. Use it in AWS', 1), { code: 0 });
  await equal([AT]);
  await letGo();
  t.match(await step('4. Use it in AWS'), { code: 0 });
});

t.test('the secret leaves Vault, and its copy stays', async (t) => {
  const { code, stdout } = await step('5. Take it from Vault');
  t.match({ code, stdout }, { code: 0, stdout: /1 of 1 secret in sync/ });
  t.notMatch(stdout, /app\/db +default/);
  await settled();
  t.match(await sweepOnce(world, 'ferry'), { enqueued: [], finished: { result: 'complete' } });
  t.match(await step('6. Remove the last trace'), { code: 0 });
  t.match(await copy(NAME), { value: '{"password":"new"}', tags: {}, scheduledForDeletion: false });
});

t.test('and the last ones at once', async (t) => {
  t.match(await step('The last ones'), { code: 0, stdout: /^released hybrid-aws-secrets\/other/ });
  t.strictSame(Object.keys((await copy(`${MOUNT}/other`)).tags), ['vaultferry:released']);
  t.strictSame(await aws.letters(), []);
  t.strictSame(
    shell.printed().flatMap((text) => canaries.spellingsIn(text)),
    [],
    'no block prints a value',
  );
  t.strictSame(await world.leaks(), []);
});
