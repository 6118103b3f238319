import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import { startWorld } from '../e2e/world.ts';

const world = await startWorld({ config: { destinations: { default: { maxSecrets: 2 } } } });
t.teardown(world.end);
const { aws, equal, ferries, write } = world;

interface Shown {
  readonly ref: string;
  readonly state: string;
  readonly vaultVersion: number | null;
  readonly replicatedVersion: number | null;
}

async function status(...refs: string[]) {
  const { code, stdout, stderr } = await ferries.run(['status', ...refs, '--json']);
  const secrets: readonly Shown[] = stdout === '' ? [] : JSON.parse(stdout).secrets;
  return { code, stderr, states: secrets.map(({ ref, state }) => `${ref} ${state}`), secrets };
}

t.test('status of what arrived, and of what maxSecrets keeps out', async (t) => {
  await write('a');
  await write('b');
  await equal(['a', 'b']);
  await write('a');
  await equal(['a']);
  const both = await status();
  t.equal(both.code, 0, both.stderr);
  t.strictSame(both.states, ['kv/a in_sync', 'kv/b in_sync']);
  t.match(both.secrets[0], { vaultVersion: 2, replicatedVersion: 2 });
  await write('c');
  await world.settled();
  const full = await status();
  t.equal(full.code, 3, full.stderr);
  t.strictSame(full.states, ['kv/a in_sync', 'kv/b in_sync', 'kv/c refused']);
  t.match(await status('kv/c'), { code: 3, secrets: [{ state: 'refused', code: 'limit_reached' }] });
  const looked = aws.secrets.send(new DescribeSecretCommand({ SecretId: 'kv/c' }));
  await t.rejects(looked, { name: 'ResourceNotFoundException' }, 'the third copy is not created');
  await write('a');
  await equal(['a']);
  const { code, stdout } = await ferries.run(['dlq', 'list', '--json']);
  t.equal(code, 3);
  t.match(stdout, /limit_reached/);
  t.match(await status('kv/none'), { code: 1, stderr: /kv\/none: neither end has it/ });
  t.match(await status('other/x'), { code: 1, stderr: /other\/x: no route covers it/ });
  const text = await ferries.run(['status']);
  t.match(text.stdout, /^kv\/c +default +refused +v1 +- +-$/m);
});
