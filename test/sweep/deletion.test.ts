import t from 'tap';
import { standingApprovals } from '../../src/sweep/deletion.ts';

const HOUR = 3_600_000;
const approval = (ref: string) => ({ ref, versionId: 'v', mark: 'm' });

t.test('an approval lapses an hour after it was sent', async (t) => {
  const requests = [
    { sentAt: 0, approve: [approval('kv/old')] },
    { sentAt: 1, approve: [approval('kv/a'), approval('kv/b')] },
    { sentAt: HOUR },
    { sentAt: HOUR, approve: undefined },
  ];
  t.same(
    standingApprovals(requests, HOUR + 1).map(({ ref }) => ref),
    ['kv/a', 'kv/b'],
  );
});
