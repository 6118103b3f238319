import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { stringify } from 'yaml';
import { projectRoot } from '../servers/root.ts';
import { at, documentsOf } from './examples.ts';

// Needs Python 3 with venv and its package index: the validator brings Kubernetes' schemas along.

const VALIDATOR = 'kubernetes-validate==1.37.0';
/** The oldest version that is claimed to work, and a recent one. */
const VERSIONS = ['1.29.0', '1.37.0'];

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'vaultferry-kubernetes-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const validator = join(folder, 'venv', 'bin', 'kubernetes-validate');

t.before(async () => {
  await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', join(folder, 'venv')]);
  await run(join(folder, 'venv', 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', VALIDATOR]);
});

/** Fails on an unknown key as on a wrong one. */
const validate = (version: string, path: string) => run(validator, ['--strict', '--quiet', '-k', version, path]);

/** What the chart would put into Vault's pod. */
async function sidecarPod(): Promise<string> {
  const server = at((await documentsOf('kubernetes/vault-values.yaml'))[0], 'server');
  const vault = { name: 'vault', image: 'vault', volumeMounts: at(server, 'volumeMounts') };
  const sidecars = at(server, 'extraContainers');
  const spec = {
    containers: [vault, ...(Array.isArray(sidecars) ? sidecars : [])],
    volumes: at(server, 'volumes'),
    terminationGracePeriodSeconds: at(server, 'terminationGracePeriodSeconds'),
  };
  const path = join(folder, 'pod.yaml');
  await writeFile(path, stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'vault-0' }, spec }));
  return path;
}

for (const version of VERSIONS) {
  t.test(`Kubernetes ${version} knows every key of the manifests`, async (t) => {
    for (const file of ['worker.yaml', 'ingress-config.yaml']) {
      await t.resolves(validate(version, join(projectRoot(), 'infra', 'kubernetes', file)), file);
    }
    await t.resolves(validate(version, await sidecarPod()), 'the sidecar');
  });
}

t.test('an unknown key is noticed', async (t) => {
  const path = join(folder, 'wrong.yaml');
  await writeFile(
    path,
    stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { containerz: [] } }),
  );
  await t.rejects(validate('1.37.0', path));
});
