import t from 'tap';
import { judgeClocks } from '../../../src/doctor/checks/clock.ts';

t.test('clocks beside ours', async (t) => {
  const ours = 1_800_000_000_000;
  const cases: readonly (readonly [number, string, RegExp])[] = [
    [0, 'ok', /agrees/],
    [1_999, 'ok', /agrees/],
    [-1_999, 'ok', /agrees/],
    [2_000, 'ok', /differs by 2 s/],
    [30_000, 'ok', /30 s/],
    [-30_000, 'ok', /30 s/],
    [30_001, 'warning', /30 s ahead/],
    [-45_000, 'warning', /45 s behind/],
    [300_000, 'warning', /300 s ahead/],
    [300_001, 'failure', /300 s ahead/],
    [-300_001, 'failure', /300 s behind/],
  ];
  for (const [ahead, state, found] of cases) {
    t.match(judgeClocks([{ whose: 'SQS', ours, theirs: ours - ahead }]), [{ check: 'SQS', state, found }], `${ahead}`);
  }
  t.match(judgeClocks([{ whose: 'Vault', unknown: 'silent' }]), [{ state: 'not_checked', found: 'silent' }]);
});
