import t from 'tap';
import { judgeNames, type WantedCopy } from '../../../src/doctor/checks/names.ts';
import { said, states } from '../said.ts';

const copy = (ref: string, secretName = ref, group = secretName): WantedCopy => ({
  ref,
  secretName,
  group,
  destination: 'default',
});
const judge = (copies: readonly WantedCopy[]) => judgeNames({ kind: 'listed', secrets: copies.length, copies });

t.test('names that are apart', async (t) => {
  const copies = [copy('kv/a'), copy('kv/b'), copy('kv/b', 'kv/b', 'elsewhere'), copy('kv/a')];
  t.strictSame(states(judge(copies)), ['ok collisions']);
  t.match(said(judge(copies)), /secrets: 4/);
});

t.test('names that meet', async (t) => {
  const findings = judge([copy('kv/a', 'a'), copy('other/a', 'a'), copy('kv/b', 'b')]);
  t.strictSame(states(findings), ['failure collisions']);
  t.match(said(findings), /first is carried: kv\/a and other\/a as a in default -> /);
  const many = [1, 2, 3, 4, 5].flatMap((n) => [copy(`kv/${n}`, `${n}`), copy(`other/${n}`, `${n}`)]);
  t.match(said(judge(many)), /; and 2 more/);
});

t.test('names that AWS does not take, or advises against', async (t) => {
  t.strictSame(states(judge([copy('kv/a', 'x'.repeat(512))])), ['ok collisions']);
  t.strictSame(states(judge([copy('kv/a', 'x'.repeat(513))])), ['ok collisions', 'failure length']);
  t.match(said(judge([copy('kv/long', 'x'.repeat(513))])), /512 characters .*: kv\/long/);
  const alike = judge([copy('kv/app-a1B2c3'), copy('kv/app-a1B2c3d')]);
  t.strictSame(states(alike), ['ok collisions', 'warning ARN suffix']);
  t.match(said(alike), /another secret's: kv\/app-a1B2c3 ->/);
});

t.test('names that are not known', async (t) => {
  t.match(judgeNames({ kind: 'unknown', reason: 'no LIST' }), [{ state: 'not_checked', found: 'no LIST' }]);
  t.match(judgeNames({ kind: 'too_many', most: 9 }), [{ state: 'not_checked', found: /more than 9/ }]);
});
