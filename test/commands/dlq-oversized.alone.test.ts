import t from 'tap';
import { startWorld } from '../e2e/world.ts';
import { until } from '../servers/until.ts';

const world = await startWorld();
t.teardown(world.end);

t.test('the letter of an oversized value says what to do, and nothing of the value', async (t) => {
  const canary = world.canaries.next();
  await world.write('too/big', { password: canary, padding: 'x'.repeat(70_000) });
  const listed = await until(
    async () => {
      const answer = await world.ferries.run(['dlq', 'list', '--json']);
      return answer.code === 3 && answer;
    },
    { what: 'the letter', deadline: 30_000 },
  );
  const { letters } = JSON.parse((listed as { stdout: string }).stdout);
  t.match(letters, [
    { kind: 'parked', code: 'value_too_large', ref: 'kv/too/big', receives: Number, message: { kind: 'change' } },
  ]);
  const shown = await world.ferries.run(['dlq', 'show', letters[0].id]);
  t.match(shown, { code: 0, stdout: /Split the secret in Vault/ });
  t.notMatch(JSON.stringify([listed, shown]), canary);
  await world.write('too/big', { password: world.canaries.next() });
  t.match(await world.ferries.run(['dlq', 'redrive', letters[0].id]), { code: 0, stdout: /1 letter redriven/ });
  await world.equal(['too/big']);
  t.match(await world.ferries.run(['dlq', 'list']), { code: 0 });
  t.strictSame(await world.leaks(), []);
});
