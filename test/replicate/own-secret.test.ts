import t from 'tap';
import { checkNotOwn, isOwnSecret, ownSecret } from '../../src/replicate/own-secret.ts';
import { createRoutes } from '../../src/replicate/routes.ts';

const arn = (name: string): string => `arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:${name}`;

t.test('the secret with our own credentials is known by name and by ARN, with its suffix and without', (t) => {
  const cases: [string, string, string | undefined, boolean][] = [
    ['ferry/vault', 'ferry/vault', undefined, true],
    ['ferry/vault', 'ferry/vault', 'eu-west-1', true],
    ['ferry/vault', 'ferry/vaults', undefined, false],
    ['ferry/vault-AbCdEf', 'ferry/vault', undefined, false],
    [arn('ferry/vault-AbCdEf'), 'ferry/vault', undefined, true],
    [arn('ferry/vault-AbCdEf'), 'ferry/vault-AbCdEf', undefined, true],
    [arn('ferry/vault'), 'ferry/vault', 'cn-north-1', true],
    [arn('ferry/vault-AbCdEf'), 'ferry/vault', 'eu-west-1', false],
    [arn('ferry/vault-AbCdEf'), 'ferry', undefined, false],
  ];
  for (const [id, name, region, expected] of cases) {
    t.equal(
      isOwnSecret(ownSecret(id), name, region === undefined ? {} : { region }),
      expected,
      `${id} ${name} ${region}`,
    );
  }
  t.end();
});

t.test('a route that leads to it makes a target that nobody may write', (t) => {
  const route = {
    name: 'all',
    namespace: '',
    mount: 'kv',
    include: ['**'],
    exclude: [],
    to: ['here', 'there'],
    as: '{path}',
  };
  const destinations = { here: { region: 'cn-north-1' }, there: { region: 'eu-west-1' } };
  const { targets } = createRoutes([route], destinations, arn('ferry/vault-AbCdEf'));
  const ref = { namespace: '', mount: 'kv', path: 'ferry/vault' };
  const [here, there, ...none] = targets(ref);
  t.same(none, []);
  if (here === undefined || there === undefined) throw new Error('two targets were expected');
  t.throws(() => checkNotOwn(here, ref), { code: 'name_invalid', message: /kv\/ferry\/vault.*connectionSecret/ });
  t.doesNotThrow(() => checkNotOwn(there, ref));
  for (const target of targets({ ...ref, path: 'ferry/other' })) t.notOk('ownCredentials' in target);
  for (const target of createRoutes([route], destinations).targets(ref)) t.notOk('ownCredentials' in target);
  t.end();
});
