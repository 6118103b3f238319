import { CreateSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { pMapIterable } from 'p-map';
import { secretName } from '../src/replicate/name.ts';
import { formatMount } from '../src/replicate/ref.ts';
import { ownershipTags, sourceText, TAG_VERSION } from '../src/replicate/tags.ts';
import { versionId } from '../src/replicate/version-id.ts';
import type { OpenBao } from '../test/servers/openbao.ts';

export const MOUNT = 'kv';
const REF = { namespace: '', mount: MOUNT };
const SIDE_BY_SIDE = 16;

/** So many paths, spread over the folders. */
export const pathsOf = (count: number, folders: number): string[] =>
  Array.from({ length: count }, (_, n) => `team-${n % folders}/app-${Math.floor(n / folders)}`);

interface Seeded {
  readonly bao: OpenBao;
  readonly secrets: SecretsManagerClient;
  readonly paths: readonly string[];
}

/** Writes the secrets to OpenBao, and to Secrets Manager the copies that VaultFerry would have made of them. */
export async function seed({ bao, secrets, paths }: Seeded): Promise<void> {
  const { body } = await bao.request('GET', `sys/mounts/${MOUNT}`);
  const { accessor } = (body as { data: { accessor: string } }).data;
  const one = async (path: string): Promise<void> => {
    const ref = { ...REF, path };
    const value = { username: path, password: 'made-up' };
    const { version, created_time: createdTime } = await bao.put(MOUNT, path, value);
    const mount = { accessor, kv: 2 } as const;
    const tags = {
      ...ownershipTags({ vault: 'vault', route: formatMount(ref), ref, mount }),
      [TAG_VERSION]: String(version),
    };
    await secrets.send(
      new CreateSecretCommand({
        Name: secretName('{mount}/{path}', ref),
        Description: sourceText(ref),
        ClientRequestToken: versionId(ref, { version, createdTime }),
        SecretString: JSON.stringify(value),
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
  };
  for await (const _ of pMapIterable(paths, one, { concurrency: SIDE_BY_SIDE }));
}
