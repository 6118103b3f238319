import t from 'tap';
import { environment } from '../../src/config/env.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ENV, MINIMAL } from './examples.ts';

const files = (known: Record<string, string>) => async (path: string) => {
  const text = known[path];
  if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
  return text;
};
const named = (id: string) => `${MINIMAL}sweep: { every: 1h }\n`.replace('vault:\n', `vault:\n  id: ${id}\n`);
const readFile = files({ 'a.yaml': named('a'), 'b.yaml': named('b'), 'vaultferry.yaml': named('c') });

t.test('the file that was named, else the variable, else vaultferry.yaml', async (t) => {
  const id = async (file: string | undefined, VAULTFERRY_CONFIG: string | undefined) =>
    (await loadConfig({ file, env: { ...ENV, VAULTFERRY_CONFIG }, readFile })).vault.id;
  t.equal(await id('a.yaml', 'b.yaml'), 'a');
  t.equal(await id(undefined, 'b.yaml'), 'b');
  t.equal(await id(undefined, named('inline')), 'inline');
  t.equal(await id(undefined, undefined), 'c');
  t.equal(await id(undefined, ''), 'c');
});

t.test('JSON in the variable is read as it stands', async (t) => {
  const env = { VAULTFERRY_CONFIG: '{"queue": {}}' };
  await t.rejects(loadConfig({ env, readFile }), { message: /^queue\.deadLetterUrl: .*\nqueue\.url: .*\nroutes: / });
});

t.test('a file that cannot be read is named with the reason, but never the value of the variable', async (t) => {
  await t.rejects(loadConfig({ file: 'no.yaml', env: {}, readFile }), {
    message: /^cannot read no\.yaml \(ENOENT\); /,
  });
  await t.rejects(loadConfig({ env: {}, readFile: files({}) }), {
    message: /^cannot read vaultferry\.yaml \(ENOENT\); /,
  });
  const env = { VAULTFERRY_CONFIG: 'vault: canary' };
  const error = await loadConfig({ env, readFile }).catch(String);
  t.match(error, /ConfigError: cannot read the file that \$VAULTFERRY_CONFIG names \(ENOENT\); /);
  t.notMatch(error, 'canary');
  const broken = async () => Promise.reject(new Error('canary'));
  await t.rejects(loadConfig({ file: 'a', env: {}, readFile: broken }), { message: /^cannot read a; name/ });
});

t.test('the environment is that of this program', async (t) => {
  t.equal(environment(), process.env);
});
