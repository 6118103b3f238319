import t from 'tap';
import { pacedReads } from '../../src/ingress/paced-reads.ts';
import { manualClock } from '../fakes/clock.ts';

function reader() {
  const clock = manualClock();
  const events: string[] = [];
  const stream = { pause: () => events.push('pause'), resume: () => events.push('resume') };
  const take = pacedReads(stream, clock, (chunk) => events.push(`${chunk.length}`));
  /** Reads of `bytes`, `apart` ms from each other; says what happened. */
  const read = async (times: number, bytes: number, apart: number) => {
    events.length = 0;
    for (let time = 0; time < times; time += 1) {
      await clock.advance(apart);
      take(Buffer.alloc(bytes));
    }
    return [...events];
  };
  return { clock, events, read };
}

t.test(
  'the first reads after a quiet moment come at once, those of a stream that goes on are 5 ms apart',
  async (t) => {
    const { clock, events, read } = reader();
    t.notOk((await read(10, 1_000, 1)).includes('pause'));
    t.strictSame(await read(1, 1_000, 1), ['pause', '1000'], 'what was read is taken all the same');
    await clock.advance(4);
    t.notOk(events.includes('resume'));
    await clock.advance(1);
    t.strictSame(events, ['pause', '1000', 'resume']);
    t.strictSame(await read(1, 5_000, 0), ['pause', '5000'], 'and again');
    t.notOk((await read(10, 1_000, 20)).includes('pause'), 'a line each 20 ms is no hurry');
    t.notOk((await read(9, 1_000, 1)).includes('pause'));
  },
);

t.test('whoever sends much is read on at once', async (t) => {
  const { read } = reader();
  await read(11, 1_000, 1);
  t.strictSame(await read(3, 32 * 1024, 5), ['resume', '32768', '32768', '32768']);
});
