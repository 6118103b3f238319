import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { until } from '../servers/until.ts';
import { setMarkBack } from './sweeping.ts';
import { startWorld } from './world.ts';

const world = await startWorld({
  config: {
    destinations: {
      default: {
        onDelete: 'schedule',
        deletion: { grace: '5m', recoveryWindow: '9d', maxPerSweep: 1, maxShare: '100%' },
      },
    },
  },
  ferries: { door: { roles: ['ingress'], config: { vault: undefined } }, worker: { roles: ['worker'] } },
});
t.teardown(world.end);
const { aws, bao, canaries, copy, equal, ferries, recorder, settled, write } = world;

interface Told {
  readonly ref: string;
  readonly action: string;
}

/** Runs a command to its end; the operations that it called at AWS beside its output. */
async function run(...args: string[]) {
  const before = recorder.calls.length;
  const { code, stdout, stderr } = await ferries.run(args);
  const called = new Set(recorder.calls.slice(before).map(({ operation }) => operation));
  return { code, stdout, stderr, called, json: args.includes('--json') ? JSON.parse(stdout) : undefined };
}

const ask = async (method: string, path: string) => {
  const { status } = await bao.request(method, `kv/${path}`);
  if (status >= 400) throw new Error(`OpenBao answered ${status} to ${method} kv/${path}`);
};
const actions = (json: { secrets: readonly Told[] }) => json.secrets.map(({ ref, action }) => `${ref} ${action}`);
const isMarked = ({ tags }: { tags: Readonly<Record<string, string>> }) => 'vaultferry:absent' in tags;
const password = () => ({ password: canaries.next() });
const READS = /^(ListSecrets|DescribeSecret|GetSecretValue|ReceiveMessage|GetQueueAttributes)$/;

t.test('a plan tells what was hidden from the push, with the keys that differ, and writes nothing', async (t) => {
  const paths = ['same', 'stale', 'edited', 'gone/a', 'gone/b'];
  for (const path of paths) await write(path);
  await equal(paths);
  await ferries.kill('door');
  await settled(); // of the sweep that the door asked for, too, which would mend what follows
  const { arn } = await copy('kv/edited');
  const text = JSON.stringify({ password: canaries.next(), 'by hand': canaries.next() });
  await aws.secrets.send(new PutSecretValueCommand({ SecretId: arn, SecretString: text }));
  await aws.secrets.send(new CreateSecretCommand({ Name: 'kv/foreign', SecretString: 'theirs' }));
  await write('stale', { token: canaries.next(), ...password() });
  await write('new');
  await write('foreign');
  await ask('DELETE', 'data/gone/a');
  await ask('DELETE', 'metadata/gone/b');

  const { code, json, called } = await run('plan', '--json');
  t.equal(code, 3);
  t.strictSame(actions(json), [
    ...['kv/edited update', 'kv/foreign adopt', 'kv/gone/a mark', 'kv/gone/b mark', 'kv/new create'],
    'kv/stale update',
  ]);
  t.match(json.secrets[0], {
    state: 'edited_by_hand',
    keys: { added: [], removed: ['by hand'], changed: ['password'] },
  });
  t.match(json.secrets[5], {
    vaultVersion: 2,
    replicatedVersion: 1,
    keys: { added: ['token'], changed: ['password'] },
  });
  t.match(json, {
    ...{ actions: { default: { create: 1, in_sync: 1 } }, gaps: [] },
    ...{ copies: { default: { now: 5, after: 6, beyondLimit: 0 } }, monthlyCost: { now: 2, after: 2.4 } },
  });
  t.ok(
    [...called].every((operation) => READS.test(operation)),
    [...called].join(),
  );

  const dry = await run('sweep', '--dry-run');
  t.equal(dry.code, 3);
  t.match(dry.stdout, /^ACTION +SECRET +DESTINATION[\s\S]*\ncreate +kv\/new +default +v1 +- /);
  t.match(dry.stdout, /\n1 secret would be created; \$2\.00 a month now, \$2\.40 then/);
  t.ok([...dry.called].every((operation) => READS.test(operation)));
});

t.test('a sweep by hand enqueues that, and the worker ends it', async (t) => {
  const { code, json, called } = await run('sweep', '--json');
  t.match({ code, json }, { code: 3, json: { enqueued: 5 } });
  t.ok(called.has('SendMessageBatch'));
  t.notOk(called.has('GetSecretValue'));
  await settled();
  await equal(['same', 'stale', 'edited', 'new']);
  for (const path of ['gone/a', 'gone/b']) await copy(`kv/${path}`, isMarked);
});

t.test('held deletions are shown, approved and carried out by a worker', async (t) => {
  for (const path of ['gone/a', 'gone/b']) await setMarkBack(world, `kv/${path}`, 600_000);
  const { code, stdout } = await run('sweep', '--approve-deletes', '--yes');
  t.match({ code, stdout }, { code: 0, stdout: /kv\/gone\/a +default +v1-\S+ +20\S+Z\n[\s\S]*approved 2 deletions/ });
  const isScheduled = async (path: string) => (await aws.copy(`kv/${path}`))?.scheduledForDeletion === true;
  await until(async () => (await isScheduled('gone/a')) && isScheduled('gone/b'), { what: 'both to be scheduled' });
  const after = await run('plan', '--deep', '--json');
  t.strictSame(actions(after.json), ['kv/foreign adopt'], after.stderr);
});

t.test('what cannot be compared is told, and no stack', async (t) => {
  const config = world.configText({ routes: [{ mount: 'nowhere', kvVersion: 2 }] });
  const [nowhere, policy] = await Promise.all([
    ferries.run(['plan'], { VAULTFERRY_CONFIG: config }),
    ferries.run(['policy', 'iam', '--role', 'worker']),
  ]);
  t.match(nowhere, { code: 1, stdout: /not compared: nowhere: / });
  t.notMatch(nowhere.stderr, /\n {4}at /);
  t.match(policy, { code: 0, stdout: /"secretsmanager:CreateSecret"/, stderr: '' });
});

t.test('no value stands where it should not', async (t) => {
  t.strictSame(await world.leaks(), []);
});
