import t from 'tap';
import {
  judgePermissions,
  judgePlaces,
  type PermissionFacts,
  type Place,
} from '../../../src/doctor/checks/destinations.ts';
import { said, states } from '../said.ts';

const place = (changed: Partial<Place> = {}): Place => ({
  name: 'default',
  region: 'eu-west-1',
  endpoint: undefined,
  routed: true,
  ...changed,
});

t.test('places', async (t) => {
  t.strictSame(states(judgePlaces([place()])), ['ok destination default']);
  t.match(said(judgePlaces([place({ endpoint: 'http://e' })])), /eu-west-1 at http:\/\/e/);
  t.match(judgePlaces([place({ region: undefined })]), [{ state: 'failure', mend: /destinations\.default\.region/ }]);
  t.match(judgePlaces([place({ routed: false })]), [{ state: 'warning', found: /no route/ }]);
  const twins = judgePlaces([place(), place({ name: 'b' }), place({ name: 'c', region: 'eu-west-2' })]);
  t.strictSame(states(twins), ['ok destination default', 'failure destination b', 'ok destination c']);
  t.match(said(twins), /same place as default \(eu-west-1\)/);
  const apart = judgePlaces([place(), place({ name: 'b', endpoint: 'http://e' })]);
  t.strictSame(states(apart), ['ok destination default', 'ok destination b']);
});

const no = { error: 'ResourceNotFoundException' };
const denied = { error: 'AccessDeniedException' };
const done = { error: undefined };
const missing = {
  PutSecretValue: no,
  UpdateSecretVersionStage: no,
  TagResource: no,
  UntagResource: no,
  RestoreSecret: no,
};
const allowed: PermissionFacts = {
  destination: 'default',
  list: done,
  describe: no,
  missing,
  owned: undefined,
  extras: [],
  kmsKey: false,
};
const judge = (changed: Partial<PermissionFacts> = {}) => judgePermissions([{ ...allowed, ...changed }]);
const stateOf = (changed: Partial<PermissionFacts>, check: string) =>
  judge(changed).find((finding) => finding.check === check);

t.test('everything is allowed', async (t) => {
  t.strictSame(states(judge()), [
    'ok ListSecrets',
    'ok DescribeSecret',
    'ok PutSecretValue',
    'ok UpdateSecretVersionStage',
    'ok TagResource',
    'ok UntagResource',
    'ok RestoreSecret',
    'not_checked CreateSecret',
  ]);
  t.match(stateOf({ kmsKey: true }, 'CreateSecret'), { found: /KMS key/ });
  t.notMatch(stateOf({}, 'CreateSecret'), { found: /KMS/ });
});

t.test('looks that are refused', async (t) => {
  t.match(stateOf({ list: denied }, 'ListSecrets'), { state: 'failure', mend: /allow secretsmanager:ListSecrets/ });
  t.match(stateOf({ describe: denied }, 'DescribeSecret'), { state: 'failure', mend: /DescribeSecret/ });
  const expired = { error: 'ExpiredTokenException' };
  t.match(stateOf({ list: expired }, 'ListSecrets'), { state: 'failure', mend: /credentials/ });
  t.match(stateOf({ list: no }, 'ListSecrets'), { state: 'failure' }, 'a list is never not found');
});

t.test('writes to a name that does not exist', async (t) => {
  const bound = stateOf({ missing: { ...missing, PutSecretValue: denied } }, 'PutSecretValue');
  t.match(bound, { state: 'not_checked', found: /tag vaultferry:vault/, mend: /PutSecretValue/ });
  t.match(stateOf({ missing: {} }, 'TagResource'), { state: 'not_checked', found: /DescribeSecret/ });
  const throttled = { ...missing, TagResource: { error: 'ThrottlingException' } };
  t.match(stateOf({ missing: throttled }, 'TagResource'), { state: 'not_checked', found: /ThrottlingException/ });
  t.match(stateOf({ missing: { ...missing, TagResource: done } }, 'TagResource'), { state: 'not_checked' });
});

t.test('what only some configurations need', async (t) => {
  const extras = ['GetSecretValue', 'DeleteSecret'];
  const asked = { ...missing, GetSecretValue: no, DeleteSecret: no };
  t.match(stateOf({ extras, missing: asked }, 'DeleteSecret'), { state: 'ok' });
  t.match(stateOf({ extras, missing: asked }, 'GetSecretValue'), { state: 'ok' });
  const bound = stateOf({ extras, missing: { ...asked, DeleteSecret: denied } }, 'DeleteSecret');
  t.match(bound, { state: 'not_checked', mend: /secretsmanager:DeleteSecret/ });
  t.match(stateOf({ extras, missing: asked, owned: { GetSecretValue: denied } }, 'GetSecretValue'), {
    state: 'failure',
    mend: /secretsmanager:GetSecretValue/,
  });
  t.match(stateOf({ extras, missing: {} }, 'DeleteSecret'), { state: 'not_checked' });
  t.equal(stateOf({ missing: asked }, 'DeleteSecret'), undefined, 'and where it is not needed, it is not told');
});

t.test('a copy of ours tells for certain', async (t) => {
  const stages = (error: string | undefined, onMissing = denied) =>
    stateOf(
      { missing: { ...missing, UpdateSecretVersionStage: onMissing }, owned: { UpdateSecretVersionStage: { error } } },
      'UpdateSecretVersionStage',
    );
  t.match(stages('AccessDeniedException'), { state: 'failure', mend: /secretsmanager:UpdateSecretVersionStage/ });
  t.match(stages('AccessDeniedException', no), { state: 'failure' });
  t.match(stages(undefined), { state: 'ok' });
  t.match(stages('InvalidParameterException'), { state: 'ok' });
});

t.test('of several destinations each is named', async (t) => {
  const findings = judgePermissions([allowed, { ...allowed, destination: 'other', list: denied }]);
  t.equal(findings[0]?.check, 'ListSecrets (default)');
  t.match(findings[8], { check: 'ListSecrets (other)', state: 'failure' });
});
