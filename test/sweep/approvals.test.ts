import t from 'tap';
import { parseMessage, type SweepMessage } from '../../src/queue/message.ts';
import { approvalRequests } from '../../src/sweep/approvals.ts';

const approval = (ref: string) => ({ ref, versionId: 'v1-x', mark: '2026-11-24T21:40:00.000Z v1-x purged' });
const requests = (refs: readonly string[]) =>
  approvalRequests('prod', refs.map(approval)).map((body) => ({
    body,
    message: parseMessage(body, 'prod') as SweepMessage,
  }));

t.test('nothing approved is no request; a few are one', async (t) => {
  t.same(requests([]), []);
  const [{ message } = { message: undefined }, ...more] = requests(['kv/a', 'kv/b']);
  t.same(more, []);
  t.strictSame(message, {
    ...{ v: 1, kind: 'sweep', vault: 'prod', origin: 'operator' },
    approve: [approval('kv/a'), approval('kv/b')],
  });
});

t.test('many are as many requests as SQS takes them in, each once and in order', async (t) => {
  for (const path of ['é'.repeat(200), 'x'.repeat(2_000), '\uffff'.repeat(100)]) {
    const refs = Array.from({ length: 3_000 }, (_, index) => `kv/${index}/${path}`);
    const all = requests(refs);
    t.ok(all.length > 1);
    t.ok(
      all.every(({ body }) => Buffer.byteLength(body) < 256 * 1024),
      'each fits',
    );
    t.same(
      all.flatMap(({ message }) => message.approve?.map(({ ref }) => ref) ?? []),
      refs,
    );
  }
});
