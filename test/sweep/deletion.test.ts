import t from 'tap';
import type { DestinationState } from '../../src/replicate/destination.ts';
import { approvalOf, type Due, dueDeletion, guarded, holds } from '../../src/sweep/deletion.ts';
import type { Finding } from '../../src/sweep/drift.ts';
import { at, DELETION } from './house.ts';

const HOUR = 3_600_000;
const TARGET = { route: 'kv', destination: 'eu', secretName: 'kv/a', group: 'g' };

t.test('an approval lapses an hour after it was sent', async (t) => {
  t.ok(holds({ sentAt: 1 }, HOUR + 1));
  t.notOk(holds({ sentAt: 0 }, HOUR + 1));
});

t.test('due is what was marked for the whole grace, also a copy without a value', async (t) => {
  const marked = Date.parse('2026-11-24T21:40:00.000Z');
  const mark = '2026-11-24T21:40:00.000Z v1 purged';
  const copy = (tags: Record<string, string>, stages: DestinationState['stages'] = new Map()): DestinationState => ({
    ...{ arn: 'arn', tags, stages, scheduledForDeletion: false, rotationEnabled: false },
  });
  const due = (kind: Finding['kind'], state: DestinationState | undefined, after: number) => {
    const about = { ref: at('a'), destination: 'eu', secretName: 'kv/a', kind };
    const finding: Finding = { ...about, target: TARGET, ...(state !== undefined && { copy: state }) };
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

t.test('of a finding no more is kept than a deletion needs', async (t) => {
  const tags = { 'vaultferry:absent': '2026-11-24T21:40:00.000Z v1 purged', other: 'x'.repeat(200) };
  const copy = { arn: 'arn', tags, stages: new Map(), scheduledForDeletion: false, rotationEnabled: false };
  const about = { ref: at('a'), target: TARGET, destination: 'eu', secretName: 'kv/a' };
  const due = dueDeletion({ ...about, kind: 'absent_marked', copy }, DELETION, Number.MAX_SAFE_INTEGER);
  t.strictSame(due, { ref: at('a'), target: TARGET, versionId: '-', mark: tags['vaultferry:absent'] });
});

t.test('a hundred thousand approvals are matched in one pass, in the order of what is due', async (t) => {
  const due: Due[] = Array.from({ length: 100_000 }, (_, index) => {
    return { ref: at(`s${index}`), target: TARGET, versionId: `v${index}`, mark: 'm' };
  });
  const others = due.filter((_, index) => index % 4 === 0);
  const approvals = due.filter((_, index) => index % 4 !== 0).map(approvalOf);
  const lapsed = others.map((one) => ({ ...approvalOf(one), mark: 'another' }));
  const began = performance.now();
  const { go, held } = guarded(due, 1_000_000, DELETION, [...lapsed, ...approvals].reverse());
  t.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
  t.equal(go.length, 75_000);
  t.strictSame(go.slice(0, 3), due.slice(1, 4));
  t.ok(held.length === others.length && held.every((one, index) => one === others[index]));
});
