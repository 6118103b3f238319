import {
  ListSecretsCommand,
  type ListSecretsResponse,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { ListedCopy } from '../replicate/destination.ts';
import { TAG_VAULT } from '../replicate/tags.ts';
import { destinationFailure } from './failure.ts';

/** A page's limit from end to end, in ms. */
const PAGE_LIMIT = 10_000;
/** The most entries that ListSecrets gives in one page. */
const PAGE_SIZE = 100;

/**
 * Every copy of one vault in a destination, those scheduled for deletion included. May miss the last 5 minutes. While a
 * page is read, the next one is on its way; who takes the first copy alone, to see whether AWS answers, makes one call.
 */
export async function* listCopies(client: SecretsManagerClient, vault: string): AsyncGenerator<ListedCopy> {
  let page: Promise<ListSecretsResponse> | undefined = listPage(client, vault, undefined);
  while (page !== undefined) {
    const { SecretList = [], NextToken }: ListSecretsResponse = await page;
    page = undefined;
    for (const entry of SecretList) {
      const copy = listedCopy(entry);
      if (copy.tags[TAG_VAULT] !== vault) continue; // the filters match key and value, not necessarily of one tag
      yield copy;
      page ??= nextPage(client, vault, NextToken);
    }
    page ??= nextPage(client, vault, NextToken);
  }
}

function nextPage(client: SecretsManagerClient, vault: string, NextToken: string | undefined) {
  if (NextToken === undefined) return undefined;
  const page = listPage(client, vault, NextToken);
  page.catch(() => undefined); // thrown where it is awaited
  return page;
}

async function listPage(client: SecretsManagerClient, vault: string, NextToken: string | undefined) {
  const command = new ListSecretsCommand({
    Filters: [
      { Key: 'tag-key', Values: [TAG_VAULT] },
      { Key: 'tag-value', Values: [vault] },
    ],
    IncludePlannedDeletion: true,
    MaxResults: PAGE_SIZE,
    ...(NextToken !== undefined && { NextToken }),
  });
  try {
    return await client.send(command, { abortSignal: AbortSignal.timeout(PAGE_LIMIT) });
  } catch (error) {
    throw destinationFailure(error, 'ListSecrets', `the copies of vault "${vault}"`);
  }
}

function listedCopy(entry: SecretListEntry): ListedCopy {
  const { ARN = '', Name = '', Tags = [], Description = '', SecretVersionsToStages = {}, OwningService } = entry;
  return {
    arn: ARN,
    name: Name,
    description: Description,
    tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
    stages: new Map(Object.entries(SecretVersionsToStages)),
    scheduledForDeletion: entry.DeletedDate !== undefined,
    rotationEnabled: entry.RotationEnabled === true,
    ...(OwningService !== undefined && { owningService: OwningService }),
  };
}
