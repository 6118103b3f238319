import t from 'tap';
import type { Received } from '../../src/queue/ports.ts';
import { createTries } from '../../src/worker/tries.ts';

const message = (id: string): Received => ({ id, receipt: id, body: '', group: 'g', receives: 1, sentAt: 0 });

t.test('looks are counted for each receive, and the least of a look counts for all', async (t) => {
  const tries = createTries();
  const [first, second] = [message('a'), message('b')];
  t.same([tries.another([first]), tries.another([first])], [1, 2]);
  t.equal(tries.another([first, second]), 1);
  t.equal(tries.another([first, second]), 2);
  t.equal(tries.another([{ ...first, receives: 2 }]), 1, 'a new receive begins anew');
});
