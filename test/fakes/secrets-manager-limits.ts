import { ReplicationError } from '../../src/errors.ts';
import type { Tags } from '../../src/replicate/tags.ts';

/** The limits that no emulator enforces, from CreateSecret's, PutSecretValue's and TagResource's API references. */
export function checkSecret(name: string, description: string, tags: Tags): void {
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) reject('the name');
  if (description.length > 2048) reject('the description');
  checkTags(tags);
}

export function checkVersion(versionId: string, value: string): void {
  if (!/^[A-Za-z0-9-]{32,64}$/.test(versionId)) reject('the ClientRequestToken');
  const bytes = Buffer.byteLength(value);
  if (bytes < 1 || bytes > 65_536) reject("the value's length");
}

export function checkTags(tags: Tags): void {
  const entries = Object.entries(tags);
  if (entries.length > 50) reject('the number of tags');
  for (const [key, value] of entries) {
    if (key.length < 1 || key.length > 127 || value.length > 255) reject(`the length of the tag ${key}`);
    if (/^aws:/i.test(key)) reject(`the tag ${key}`);
    if (![key, value].every((text) => /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text))) {
      reject(`a character of the tag ${key}`);
    }
  }
}

function reject(what: string): never {
  throw new ReplicationError('destination_rejected', `Secrets Manager would refuse ${what}`);
}
