import { DescribeSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { MOUNT } from './seed.ts';

interface Pull {
  readonly address: string;
  readonly token: string;
  readonly secrets: SecretsManagerClient;
  /** How many secrets there are, each in sync. */
  readonly expected: number;
}

/**
 * What AWS's sample for this does once per period, by its description: list, then read each secret's metadata and compare
 * its version with the tag `version` of the copy, one secret after the other. Milliseconds and requests.
 */
export async function pullLoop({ address, token, secrets, expected }: Pull) {
  const requests = { vault: 0, aws: 0 };
  const ask = async (path: string): Promise<unknown> => {
    requests.vault += 1;
    const answer = await fetch(`${address}/v1/${MOUNT}/metadata/${path}`, { headers: { 'x-vault-token': token } });
    if (!answer.ok) throw new Error(`OpenBao answered ${answer.status} to the pull loop`);
    return ((await answer.json()) as { data: unknown }).data;
  };
  const versionOf = async (path: string): Promise<string | undefined> => {
    requests.aws += 1;
    const { Tags = [] } = await secrets.send(new DescribeSecretCommand({ SecretId: `${MOUNT}/${path}` }));
    return Tags.find(({ Key }) => Key === 'version')?.Value;
  };
  const began = performance.now();
  let inSync = 0;
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const { keys } = (await ask(`${folder}?list=true`)) as { keys: readonly string[] };
    for (const key of keys) {
      const path = `${folder}${key}`;
      if (key.endsWith('/')) {
        folders.push(path);
        continue;
      }
      const { current_version } = (await ask(path)) as { current_version: number };
      if ((await versionOf(path)) === String(current_version)) inSync += 1;
    }
  }
  if (inSync !== expected) throw new Error(`the pull loop found ${inSync} of ${expected} in sync`);
  return { took: performance.now() - began, ...requests };
}
