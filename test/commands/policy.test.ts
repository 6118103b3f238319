import t from 'tap';
import { iamPolicyCommand, policyCommand, policyOf } from '../../src/commands/policy.ts';
import { vaultPolicy } from '../../src/doctor/vault-policy.ts';
import { configured } from '../doctor/configured.ts';

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

const BOTH = new Set(['ingress', 'worker'] as const);
const WORKER = new Set(['worker'] as const);

t.test('what it takes', async (t) => {
  for (const of of ['vault', 'openbao', 'iam'] as const) t.equal(policyOf([of], BOTH), of);
  t.equal(policyOf(['iam'], WORKER), 'iam');
  for (const operands of [[], ['aws'], ['vault', 'more'], ['constructor']]) {
    t.throws(() => policyOf(operands, BOTH), { name: 'UsageError' }, operands.join(' '));
  }
  t.throws(() => policyOf(['vault'], WORKER), { name: 'UsageError', message: /--role goes with policy iam/ });
});

const iam = (more: Readonly<Record<string, unknown>>, roles: ReadonlySet<'ingress' | 'worker'>, json = true) => {
  const config = configured(more);
  const out: string[] = [];
  const errors: string[] = [];
  const streams = { write: (text: string) => out.push(text), writeError: (text: string) => errors.push(text) };
  const code = iamPolicyCommand({ config, roles, json, ...streams });
  return { code, text: out.join(''), errors };
};

t.test('the IAM policy, for people and in one line', async (t) => {
  const [short, long] = [iam({}, WORKER), iam({}, WORKER, false)];
  t.equal(short.text.trimEnd().split('\n').length, 1);
  t.strictSame(JSON.parse(short.text), JSON.parse(long.text));
  t.match(long.text, /^\{\n {2}"Version": "2012-10-17",\n/);
  t.strictSame(short.errors, []);
});

t.test('what it cannot know is told', async (t) => {
  const routes = [{ mount: 'kv' }, { mount: 'other', name: 'others' }];
  t.match(iam({ routes }, WORKER).errors, [/^kv: its kvVersion is auto/, /^others: /]);
  t.strictSame(iam({ routes }, new Set(['ingress'])).errors, []);
  const many = Array.from({ length: 40 }, (_, index) => ({ mount: `a-mount-of-some-length-${index}`, kvVersion: 2 }));
  t.match(iam({ routes: many }, WORKER).errors, [/longer than the 6,144 characters/]);
});
