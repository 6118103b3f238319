import { join } from 'node:path';
import t from 'tap';
import { parse as parseYaml } from 'yaml';
import { type ConfigCommand, configCommand } from '../../src/commands/config.ts';
import { ENV, FULL, MINIMAL } from './examples.ts';

const run = async (args: Partial<ConfigCommand>) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await configCommand({
    action: 'check',
    json: false,
    roles: new Set(['ingress', 'worker']),
    env: { ...ENV, VAULTFERRY_CONFIG: MINIMAL },
    write: (text) => out.push(text),
    writeError: (text) => err.push(text),
    ...args,
  });
  return { code, out: out.join(''), err };
};

const broken = { VAULTFERRY_CONFIG: 'queue: 5\nlog: {}\nroutes: [{ mount: kv, xx: canary }]\n' };
const QUEUE_LINE = 'queue: expected a mapping of keys\n';
const ROUTE_LINE = /^routes\[0\]\.xx: is not a known key; .*\n$/;

t.test('check says that all is well', async (t) => {
  t.same(await run({}), { code: 0, out: 'configuration is valid: 1 route, 1 destination\n', err: [] });
  t.same(await run({ json: true }), { code: 0, out: '{"valid":true}\n', err: [] });
  const two = MINIMAL.concat('  - { mount: kv }\ndestinations: { default: {}, eu: {} }\n');
  t.match(await run({ env: { ...ENV, VAULTFERRY_CONFIG: two } }), { code: 0, out: /: 2 routes, 2 destinations\n$/ });
});

t.test('check gives each problem a line of its own', async (t) => {
  t.match(await run({ env: broken }), { code: 2, out: '', err: [QUEUE_LINE, ROUTE_LINE] });
  const { code, out, err } = await run({ env: broken, json: true });
  t.match(
    { code, err, ...JSON.parse(out) },
    { code: 2, err: [], valid: false, problems: [{ key: 'queue' }, { key: 'routes[0].xx' }] },
  );
});

t.test('check knows what the roles need', async (t) => {
  const VAULTFERRY_CONFIG = MINIMAL.replace('hybrid-aws-secrets', 'kv, kvVersion: 2').replace(/ {2}auth.*\n/, '');
  t.match(await run({ env: { VAULTFERRY_CONFIG } }), {
    code: 2,
    out: '',
    err: ['vault.auth: is missing; the worker role reads secrets\n'],
  });
  t.match(await run({ env: { VAULTFERRY_CONFIG }, roles: new Set(['ingress']) }), { code: 0 });
});

t.test('print shows the defaults and masks the secrets', async (t) => {
  const env = { ...ENV, VAULTFERRY_CONFIG: FULL };
  const yaml = await run({ action: 'print', env });
  const json = await run({ action: 'print', env, json: true });
  t.equal(yaml.code, 0);
  t.same(parseYaml(yaml.out), JSON.parse(json.out));
  t.match(JSON.parse(json.out), { admin: { token: '[redacted]' }, sweep: { every: '1h' } });
  t.notMatch(yaml.out + json.out, 'canary');
  t.match(await run({ action: 'print', env: broken, json: true }), { code: 2, out: '', err: [QUEUE_LINE, ROUTE_LINE] });
});

t.test('schema needs no configuration', async (t) => {
  const { code, out } = await run({ action: 'schema', env: {} });
  t.equal(code, 0);
  t.equal(JSON.parse(out).title, 'VaultFerry configuration');
});

t.test('files are read from the disk', async (t) => {
  const directory = t.testdir({ 'a.yaml': MINIMAL });
  t.match(await run({ file: join(directory, 'a.yaml') }), { code: 0 });
  t.match(await run({ file: join(directory, 'b.yaml') }), { code: 2, err: [/^cannot read .*b\.yaml \(ENOENT\)/] });
});

t.test('a fault of the program itself is not taken for a problem of the file', async (t) => {
  const env = new Proxy({}, { get: () => 7 });
  await t.rejects(run({ env }), TypeError);
});
