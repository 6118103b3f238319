import t from 'tap';
import type { DestinationState } from '../../src/replicate/destination.ts';
import { dueDeletion, standingApprovals } from '../../src/sweep/deletion.ts';
import type { Finding } from '../../src/sweep/drift.ts';
import { at, DELETION } from './house.ts';

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

t.test('due is what was marked for the whole grace, also a copy without a value', async (t) => {
  const marked = Date.parse('2026-11-24T21:40:00.000Z');
  const mark = '2026-11-24T21:40:00.000Z v1 purged';
  const copy = (tags: Record<string, string>, stages: DestinationState['stages'] = new Map()): DestinationState => ({
    ...{ arn: 'arn', tags, stages, scheduledForDeletion: false, rotationEnabled: false },
  });
  const due = (kind: Finding['kind'], state: DestinationState | undefined, after: number) => {
    const about = { ref: at('a'), destination: 'eu', secretName: 'kv/a', kind };
    const finding: Finding = { ...about, ...(state !== undefined && { copy: state }) };
    return dueDeletion(finding, DELETION, marked + after)?.versionId;
  };
  const current = new Map([['v1', ['AWSCURRENT']]]);
  const tags = { 'vaultferry:absent': mark };
  t.equal(due('absent_marked', copy(tags, current), DELETION.grace), 'v1');
  t.equal(due('absent_marked', copy(tags), DELETION.grace), '-');
  t.equal(due('absent_marked', copy(tags, current), DELETION.grace - 1), undefined);
  t.equal(due('in_sync', copy(tags, current), DELETION.grace), undefined);
  t.equal(due('absent_marked', copy({}, current), DELETION.grace), undefined);
  t.equal(due('absent_marked', undefined, DELETION.grace), undefined);
});
