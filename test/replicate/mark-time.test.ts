import t from 'tap';
import { NAME, REF, world } from './world.ts';

const MINUTE = 60_000;

/** The first field of the mark that a look sets, on a worker whose clock is off by so many ms. */
async function markedAt(off: number) {
  const { clock, vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  vault.delete(REF);
  const sentAt = clock.now();
  clock.setWall(off);
  await run({ sentAt });
  return { at: Date.parse(aws.secret(NAME).tags.get('vaultferry:absent')?.split(' ')[0] ?? ''), sentAt };
}

t.test('a clock that is behind makes no mark earlier than its message', async (t) => {
  const { at, sentAt } = await markedAt(-10 * MINUTE);
  t.equal(at, sentAt);
});

t.test('a clock that is ahead makes it later, and so the grace longer', async (t) => {
  const { at, sentAt } = await markedAt(10 * MINUTE);
  t.equal(at, sentAt + 10 * MINUTE);
});
