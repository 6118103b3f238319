import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { policyMounts } from '../../src/commands/policy.ts';
import { policyLine, vaultPolicy, vaultPolicyRules } from '../../src/doctor/vault-policy.ts';
import { projectRoot } from '../servers/root.ts';

const FOLDER = join(projectRoot(), 'vault-config');
const piece = (name: string) => readFile(join(FOLDER, 'policies', `${name}.hcl`), 'utf8');
const MOUNTS = [
  { namespace: '', mount: 'hybrid-aws-secrets' },
  { namespace: 'team-a', mount: 'kv/nested' },
];
const PATHS = ['hybrid-aws-secrets', 'team-a/kv/nested'];

for (const [server, pieces] of [
  ['vault', ['replicator']],
  ['openbao', ['replicator', 'replicator-openbao']],
] as const) {
  t.test(`the policy for ${server} is vault-config's, to the byte`, async (t) => {
    const templates = await Promise.all(pieces.map(piece));
    const blocks = PATHS.flatMap((path) => templates.map((text) => text.replaceAll('$' + '{mount}', path)));
    t.equal(vaultPolicy(MOUNTS, server), [...blocks, await piece('replicator-token')].join('\n'));
  });

  t.test(`apply.sh writes the same policy to ${server}`, async (t) => {
    const mounts = ['hybrid-aws-secrets', 'team-a:kv/nested'].flatMap((mount) => ['--mount', mount]);
    const args = [join(FOLDER, 'apply.sh'), ...mounts, '--print-policy', server];
    const { stdout } = await promisify(execFile)('sh', args, { env: { PATH: process.env['PATH'] } });
    t.equal(vaultPolicy(MOUNTS, server), stdout);
  });
}

t.test('a mount of version 1 has its own lines, the same everywhere', async (t) => {
  const mounts = [{ namespace: 'team-a', mount: 'old', kvVersion: 1 } as const, ...MOUNTS];
  const args = ['--kv1-mount', 'team-a:old', '--mount', 'hybrid-aws-secrets', '--mount', 'team-a:kv/nested'];
  const script = [join(FOLDER, 'apply.sh'), ...args, '--print-policy', 'vault'];
  const { stdout } = await promisify(execFile)('sh', script, { env: { PATH: process.env['PATH'] } });
  t.equal(vaultPolicy(mounts, 'vault'), stdout);
  t.match(stdout, (await piece('replicator-kv1')).replaceAll('$' + '{mount}', 'team-a/old'));
  t.notMatch(stdout, /old\/data/);
  const told = policyMounts(
    [
      { namespace: '', mount: 'a' },
      { namespace: '', mount: 'b' },
    ],
    [{ namespace: '', mount: 'a', kvVersion: 1 }],
  );
  t.same(told, [
    { namespace: '', mount: 'a', kvVersion: 1 },
    { namespace: '', mount: 'b' },
  ]);
});

t.test('the rules for scripts are those of the text', async (t) => {
  const rules = vaultPolicyRules(MOUNTS, 'openbao');
  t.equal(rules.length, 10);
  const text = vaultPolicy(MOUNTS, 'openbao');
  for (const { path, capabilities } of rules) {
    t.ok(
      text.includes(`path "${path}" {\n  capabilities = [${capabilities.map((one) => `"${one}"`).join(', ')}]`),
      path,
    );
  }
  t.notOk(vaultPolicyRules(MOUNTS, 'vault').some(({ capabilities }) => capabilities.includes('scan')));
});

t.test('a mount that no policy can name is refused', async (t) => {
  for (const mount of ['a"b', 'a*', 'a/+/b', 'a\\b', 'a$b', 'a{b', 'a\nb']) {
    t.throws(
      () => vaultPolicy([{ namespace: '', mount }], 'vault'),
      { name: 'ConfigError', message: /by hand/ },
      mount,
    );
  }
  t.match(vaultPolicy([{ namespace: '', mount: 'a+b c' }], 'vault'), /path "a\+b c\/data\/\*"/);
});

t.test('one line', async (t) => {
  t.equal(policyLine('kv/metadata/*', 'read', 'list'), 'path "kv/metadata/*" { capabilities = ["read", "list"] }');
});
