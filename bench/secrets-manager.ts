import type http from 'node:http';
import { json } from 'node:stream/consumers';
import { formatMount } from '../src/replicate/ref.ts';
import { ownershipTags, sourceText, TAG_VERSION } from '../src/replicate/tags.ts';
import { versionId } from '../src/replicate/version-id.ts';
import { MOUNT } from './seed.ts';

const PAGE = 100;

/** What a copy in sync is made of. */
export interface InSync {
  readonly path: string;
  readonly mount: { readonly accessor: string; readonly kv: 2 };
  readonly version: number;
  readonly createdTime: string;
}

/**
 * Secrets Manager's ListSecrets, page by page, and DescribeSecret, of copies in sync. A page takes what a page takes, as on AWS:
 * the emulator walks all of its secrets for each, which is nearly all of a sweep's time there.
 */
export function secretsManagerOf(copies: readonly InSync[]): http.RequestListener {
  const byName = new Map(copies.map((copy) => [`${MOUNT}/${copy.path}`, copy]));
  return (request, response) => {
    json(request).then(
      (body) => {
        const { SecretId, NextToken = 0 } = body as { SecretId?: string; NextToken?: string };
        if (String(request.headers['x-amz-target']).endsWith('.DescribeSecret')) {
          const copy = byName.get(SecretId ?? '');
          if (copy === undefined) return answer(response, 400, { __type: 'ResourceNotFoundException' });
          const { SecretVersionsToStages, ...described } = entryOf(copy);
          return answer(response, 200, { ...described, VersionIdsToStages: SecretVersionsToStages });
        }
        const from = Number(NextToken);
        const SecretList = copies.slice(from, from + PAGE).map(entryOf);
        const more = from + PAGE < copies.length ? { NextToken: String(from + PAGE) } : {};
        answer(response, 200, { SecretList, ...more });
      },
      () => response.destroy(),
    );
  };
}

export function answer(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function entryOf({ path, mount, version, createdTime }: InSync) {
  const ref = { namespace: '', mount: MOUNT, path };
  const owner = { vault: 'vault', route: formatMount(ref), ref, mount };
  const tags = { ...ownershipTags(owner), [TAG_VERSION]: String(version) };
  return {
    ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${MOUNT}/${path}-AbCdEf`,
    Name: `${MOUNT}/${path}`,
    Description: sourceText(ref),
    ...{ CreatedDate: 1_764_000_000.5, LastChangedDate: 1_764_000_000.5, LastAccessedDate: 1_763_942_400 },
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    SecretVersionsToStages: { [versionId(ref, { version, createdTime })]: ['AWSCURRENT', 'VAULTFERRY'] },
  };
}
