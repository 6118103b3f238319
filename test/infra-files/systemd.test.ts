import t from 'tap';
import { checkRoles } from '../../src/config/roles.ts';
import { checkedConfig, readInfra, shared } from './examples.ts';

const example = async (role: string) => checkedConfig(await readInfra(`systemd/${role}.yaml`));
const unit = (role: string) => readInfra(`systemd/vaultferry-${role}.service`);

/** The values of a setting, in the file's order. */
const settings = (text: string, name: string): string[] =>
  text.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));

t.test('the examples are valid for the roles that their units run', async (t) => {
  t.same(checkRoles(await example('ingress'), new Set(['ingress'])), []);
  t.same(checkRoles(await example('worker'), new Set(['worker'])), []);
});

t.test('ingress and worker agree on queues, routes and destinations', async (t) => {
  t.same(shared(await example('ingress')), shared(await example('worker')));
});

t.test('both may run on one machine', async (t) => {
  const [ingress, worker] = [await example('ingress'), await example('worker')];
  t.not(ingress.admin.listen.port, worker.admin.listen.port);
});

t.test('the socket lies in the directory that the unit makes, for the group that owns it', async (t) => {
  const { ingress } = await example('ingress');
  if (ingress === false) throw new Error('the example has no ingress');
  const text = await unit('ingress');
  t.same(ingress.socket, { kind: 'unix', path: `/run/${settings(text, 'RuntimeDirectory')[0]}/audit.sock` });
  t.match(settings(text, 'ExecStartPost')[0], 'test -S /run/vaultferry/audit.sock');
  t.same(settings(text, 'Group'), [ingress.socketGroup]);
  t.equal(ingress.socketMode, 0o660);
  t.match(await readInfra('systemd/vaultferry.sysusers.conf'), new RegExp(`^g ${ingress.socketGroup} -$`, 'm'));
  t.match(await readInfra('systemd/vault.service.d/vaultferry.conf'), `SupplementaryGroups=${ingress.socketGroup}`);
});

t.test('the worker reads its secret-id where the unit puts it', async (t) => {
  const { vault } = await example('worker');
  const [credential = ''] = settings(await unit('worker'), 'LoadCredential');
  const secretIdFile = `/run/credentials/vaultferry-worker.service/${credential.split(':')[0]}`;
  t.match(vault.auth, { method: 'approle', secretIdFile });
});

for (const role of ['ingress', 'worker']) {
  t.test(`the ${role}'s unit names its role and its file, and gives it time to stop`, async (t) => {
    const text = await unit(role);
    const command = `vaultferry serve --role ${role} --config /etc/vaultferry/${role}.yaml`;
    t.same(settings(text, 'ExecStart'), [command]);
    t.same(settings(text, 'TimeoutStopSec'), ['25s']);
    t.same(settings(text, 'Restart'), ['always']);
    t.equal(settings(text, 'MemoryMax').length, 1);
  });
}
