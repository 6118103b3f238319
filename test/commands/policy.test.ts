import t from 'tap';
import { policyCommand, policyOf } from '../../src/commands/policy.ts';
import { vaultPolicy } from '../../src/doctor/vault-policy.ts';

const mounts = [{ namespace: '', mount: 'kv' }];
const run = (of: 'vault' | 'openbao', json: boolean) => {
  const written: string[] = [];
  const code = policyCommand({ of, mounts, json, write: (text) => written.push(text) });
  return { code, text: written.join('') };
};

t.test('the policy as text and as JSON', async (t) => {
  for (const of of ['vault', 'openbao'] as const) {
    t.strictSame(run(of, false), { code: 0, text: vaultPolicy(mounts, of) });
    t.match(JSON.parse(run(of, true).text), { server: of, paths: [{ path: 'kv/data/*', capabilities: ['read'] }] });
  }
});

t.test('what it takes', async (t) => {
  t.equal(policyOf(['vault']), 'vault');
  t.equal(policyOf(['openbao']), 'openbao');
  for (const operands of [[], ['iam'], ['vault', 'more'], ['constructor']]) {
    t.throws(() => policyOf(operands), { name: 'UsageError' }, operands.join(' '));
  }
});
