import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Config } from '../../src/config/config.ts';
import { checkRoles } from '../../src/config/roles.ts';
import { projectRoot } from '../servers/root.ts';
import { at, checkedConfig, documentsOf, shared, type Tree } from './examples.ts';

const FILES = ['worker.yaml', 'ingress-config.yaml'];
const manifests = async (): Promise<Tree[]> =>
  (await Promise.all(FILES.map((file) => documentsOf(`kubernetes/${file}`)))).flat();

const only = async (kind: string): Promise<Tree[]> => (await manifests()).filter((tree) => tree['kind'] === kind);

async function configOf(name: string): Promise<Config> {
  const map = (await only('ConfigMap')).find((tree) => at(tree, 'metadata', 'name') === name);
  return checkedConfig(String(at(map, 'data', 'vaultferry.yaml')));
}

const list = (tree: unknown, ...path: readonly (string | number)[]): unknown[] => {
  const node = at(tree, ...path);
  return Array.isArray(node) ? node : [];
};

const values = async () => at((await documentsOf('kubernetes/vault-values.yaml'))[0], 'server');
const workerPod = async () => at((await only('Deployment'))[0], 'spec', 'template', 'spec');
const workerContainer = async () => at(await workerPod(), 'containers', 0);
const sidecar = async () => at(await values(), 'extraContainers', 0);

const CONTAINERS = { worker: workerContainer, sidecar };

t.test('each ConfigMap is valid for its role', async (t) => {
  t.equal((await only('ConfigMap')).length, 2);
  t.same(checkRoles(await configOf('vaultferry-worker'), new Set(['worker'])), []);
  t.same(checkRoles(await configOf('vaultferry-ingress'), new Set(['ingress'])), []);
});

t.test('ingress and worker agree on queues, routes and destinations', async (t) => {
  t.same(shared(await configOf('vaultferry-worker')), shared(await configOf('vaultferry-ingress')));
});

for (const [role, container] of Object.entries(CONTAINERS)) {
  t.test(`the ${role}'s image has a version, and no capability or file to write`, async (t) => {
    const tree = await container();
    t.match(at(tree, 'image'), /^[^:]+:\d+\.\d+\.\d+$/);
    t.match(at(tree, 'securityContext'), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    t.ok(at(tree, 'resources', 'requests', 'memory'));
    t.ok(at(tree, 'resources', 'limits', 'memory'));
  });

  t.test(`the ${role} is probed where its configuration listens`, async (t) => {
    const tree = await container();
    const { admin } = await configOf(role === 'worker' ? 'vaultferry-worker' : 'vaultferry-ingress');
    const port = list(tree, 'ports').find((port) => at(port, 'name') === at(tree, 'livenessProbe', 'httpGet', 'port'));
    t.equal(at(port, 'containerPort'), admin.listen.port);
    t.equal(at(tree, 'livenessProbe', 'httpGet', 'path'), '/healthz');
    t.same(admin.listen.host, '0.0.0.0');
  });

  t.test(`the ${role} mounts only what there is`, async (t) => {
    const names = list(role === 'worker' ? await workerPod() : await values(), 'volumes').map((tree) =>
      at(tree, 'name'),
    );
    for (const mount of list(await container(), 'volumeMounts')) t.ok(names.includes(at(mount, 'name')));
  });
}

t.test('neither runs as root, and both are under the default seccomp profile', async (t) => {
  const contexts = [at(await workerPod(), 'securityContext'), at(await sidecar(), 'securityContext')];
  for (const context of contexts) {
    t.match(context, { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } });
  }
});

t.test('the worker logs in to Vault with the token that is mounted, under the role of vault-config', async (t) => {
  const text = await readFile(join(projectRoot(), 'vault-config', 'auth', 'kubernetes.json'), 'utf8');
  const { audience, ...role } = JSON.parse(text) as Tree;
  const pod = await workerPod();
  const [account] = await only('ServiceAccount');
  t.match(role, {
    bound_service_account_names: [at(account, 'metadata', 'name')],
    bound_service_account_namespaces: [at(account, 'metadata', 'namespace')],
  });
  t.equal(at(pod, 'serviceAccountName'), at(account, 'metadata', 'name'));
  const volume = list(pod, 'volumes').find((tree) => at(tree, 'name') === 'jwt');
  const token = at(volume, 'projected', 'sources', 0, 'serviceAccountToken');
  t.equal(at(token, 'audience'), audience);
  const mount = list(await workerContainer(), 'volumeMounts').find((tree) => at(tree, 'name') === 'jwt');
  const { vault } = await configOf('vaultferry-worker');
  t.match(vault.auth, { method: 'kubernetes', jwtFile: `${at(mount, 'mountPath')}/${at(token, 'path')}` });
});

t.test('SQS being down does not take Vault out of its Service', async (t) => {
  t.equal(at(await sidecar(), 'readinessProbe'), undefined);
  t.equal(at(await workerContainer(), 'readinessProbe', 'httpGet', 'path'), '/readyz');
});

t.test('Vault and the sidecar share the directory of the socket, and the group that may connect', async (t) => {
  const { ingress } = await configOf('vaultferry-ingress');
  t.match(ingress, { socket: { kind: 'unix', path: '/run/vaultferry/audit.sock' }, socketMode: 0o660 });
  const server = await values();
  const mountsOf = (tree: unknown) =>
    list(tree, 'volumeMounts').map((mount) => [at(mount, 'name'), at(mount, 'mountPath')]);
  const [shared] = mountsOf(server);
  t.same(shared, ['vaultferry-socket', '/run/vaultferry']);
  t.ok(mountsOf(await sidecar()).some((mount) => String(mount) === String(shared)));
  t.equal(at(await sidecar(), 'securityContext', 'runAsGroup'), 1000);
});

t.test('both have the time that a stop takes', async (t) => {
  t.equal(at(await workerPod(), 'terminationGracePeriodSeconds'), 30);
  t.equal(at(await values(), 'terminationGracePeriodSeconds'), 30);
});

t.test('a drain leaves one of the workers', async (t) => {
  const [deployment] = await only('Deployment');
  const [budget] = await only('PodDisruptionBudget');
  const [policy] = await only('NetworkPolicy');
  const labels = at(deployment, 'spec', 'template', 'metadata', 'labels');
  t.equal(at(deployment, 'spec', 'replicas'), 2);
  t.equal(at(budget, 'spec', 'minAvailable'), 1);
  t.same(at(deployment, 'spec', 'selector', 'matchLabels'), labels);
  t.same(at(budget, 'spec', 'selector', 'matchLabels'), labels);
  t.same(at(policy, 'spec', 'podSelector', 'matchLabels'), labels);
});
