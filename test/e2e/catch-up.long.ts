import t from 'tap';
import { DOOR_AND_WORKER, killUnderWrites } from './catch-up.ts';
import { startWorld } from './world.ts';

const world = await startWorld(DOOR_AND_WORKER);
t.teardown(world.end);

t.test('killed a hundred times under writes, all is equal at the end', { timeout: 900_000 }, async (t) => {
  t.same([...(await killUnderWrites(world, 100))], ['gap']);
  t.strictSame(await world.aws.letters(), []);
});
