import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { createHouse } from '../dead-letters/house.ts';
import { changeBody } from '../dead-letters/letters.ts';
import { baseEnv } from '../servers/child.ts';
import { projectRoot } from '../servers/root.ts';
import { startRoto } from '../servers/roto.ts';
import { until } from '../servers/until.ts';

const roto = await startRoto();
t.teardown(roto.end);

let worlds = 0;

/** The program as a person runs it: with the two queues and nothing else, Vault least of all. */
async function world() {
  worlds += 1;
  const queues = await roto.createQueues({ name: `cli-${worlds}` });
  const house = createHouse(roto.client, queues);
  t.teardown(house.close);
  const VAULTFERRY_CONFIG = JSON.stringify({ queue: queues, routes: [{ mount: 'kv' }] });
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [join(projectRoot(), 'build/src/cli.js'), 'dlq', ...args], {
      env: { ...baseEnv(), ...roto.env, VAULTFERRY_CONFIG },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    });
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]);
    return { child, ended: ended.then(([code, stdout, stderr]) => ({ code, stdout, stderr })) };
  };
  return { ...house, start, dlq: (...args: string[]) => start(...args).ended };
}

t.test('a letter is listed, shown, redriven and gone, by its exit codes and its JSON', async (t) => {
  const { dlq, park, inQueue, counts } = await world();
  t.match(await dlq('list'), { code: 0, stdout: 'no dead letters\n', stderr: '' });
  await park(['app/big'], { code: 'value_too_large', text: 'the value of kv/app/big has 70,000 bytes' });
  const listed = await dlq('list', '--json');
  t.match(listed, { code: 3, stderr: '' });
  const [{ id }] = JSON.parse(listed.stdout).letters;
  t.match(await dlq('list'), {
    code: 3,
    stdout: new RegExp(`^ID .*\n${id.slice(0, 8)} .*value_too_large .*kv/app/big`),
  });
  t.match(await dlq('show', id.slice(0, 6)), { code: 0, stdout: /Split the secret in Vault/, stderr: '' });
  t.same(await counts(), [1, 0]);
  t.match(await dlq('redrive', '--all', '--yes', '--json'), { code: 0, stdout: /^\{"redriven":\[\{"id":/ });
  t.match(await inQueue(), [{ Body: changeBody('app/big') }]);
  t.same(await counts(), [0, 0]);
  t.match(await dlq('redrive', id), { code: 1, stderr: new RegExp(`^${id}: no letter`) });
});

t.test('without a terminal a drop and a redrive of all want --yes, and touch nothing', async (t) => {
  const { dlq, park, place, counts } = await world();
  await park(['a']);
  await place('{"canary":1}');
  const { letters } = JSON.parse((await dlq('list', '--json')).stdout);
  const ids = letters.map(({ id }: { id: string }) => id);
  for (const args of [
    ['drop', ...ids],
    ['redrive', '--all'],
  ]) {
    t.match(await dlq(...args), { code: 2, stdout: '', stderr: /^vaultferry: .* add --yes\n/ }, args[0]);
  }
  t.same(await counts(), [2, 0]);
  t.match(await dlq('drop', ...ids, '--yes'), { code: 0, stdout: /\n2 letters dropped\n$/ });
  t.same(await counts(), [0, 0]);
});

t.test('what cannot be understood is 2, what cannot be done is 1', async (t) => {
  const { dlq } = await world();
  const wrong = [[], ['lsit'], ['show'], ['show', 'abc'], ['redrive'], ['list', '--role', 'worker']];
  await Promise.all(
    wrong.map(async (args) => {
      const usage = { code: 2, stdout: '', stderr: /^vaultferry: .+\nSee vaultferry --help\n$/ };
      t.match(await dlq(...args), usage, args.join());
    }),
  );
  t.match(await dlq('--help'), { code: 0, stdout: /^Usage: vaultferry dlq list/ });
  t.match(await dlq('show', 'nobody'), { code: 1, stderr: /^nobody: no letter/ });
});

t.test('Ctrl-C gives the letters back', async (t) => {
  const { start, place, counts } = await world();
  // Twenty in one group: after the first ten it waits for more, which is the moment to interrupt it.
  for (let version = 1; version <= 20; version++) await place(changeBody('a', { version }), 'one-group');
  const { child, ended } = start('list');
  await until(async () => (await counts())[1] === 10, { what: 'the letters to be held' });
  child.kill('SIGINT');
  t.same(await ended, { code: 1, stdout: '', stderr: 'interrupted: every letter is where it was\n' });
  t.same(await counts(), [20, 0]);
});
