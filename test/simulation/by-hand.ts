import { escapeName } from '../../src/replicate/name.ts';
import { TAG_ABSENT, TAG_VAULT, TAG_VERSION } from '../../src/replicate/tags.ts';
import { type Account, AwsError, CURRENT, idAt, type Secret } from '../fakes/account.ts';
import type { Deed, SecretRef } from './schedule.ts';

export type ByHand = Extract<Deed, { kind: `aws:${string}` }>;

/** Versions that lie around: few fewer than Secrets Manager keeps. */
const OLD_VERSIONS = 97;

/** What a person does to a copy in AWS; nothing where there is nothing to do it to, or where AWS refuses. */
export function editByHand(account: Account, deed: ByHand, { mount, path }: SecretRef, freshId: () => string): void {
  try {
    edit(account, deed, `${mount}/${escapeName(path)}`, freshId);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
}

function edit(account: Account, deed: ByHand, name: string, freshId: () => string): void {
  const secret = account.find(name);
  if (deed.kind === 'aws:foreign') {
    if (secret !== undefined) account.remove('hand', name);
    account.create('hand', name, { token: freshId(), value: 'theirs', tags: { team: 'other' } });
  } else if (secret === undefined) {
    if (deed.kind === 'aws:valueless') account.create('hand', name, {});
  } else if (deed.kind === 'aws:force') account.remove('hand', name);
  else if (secret.deletedAt === undefined) editLiving(account, deed, secret, freshId());
  else if (deed.kind === 'aws:restore') account.restore('hand', name);
}

function editLiving(account: Account, deed: ByHand, secret: Secret, id: string): void {
  const { name } = secret;
  switch (deed.kind) {
    case 'aws:edit':
      account.put('hand', name, id, 'by hand', CURRENT);
      break;
    case 'aws:back': {
      const before = idAt(secret, 'AWSPREVIOUS');
      if (before !== undefined) account.move('hand', name, before, idAt(secret, CURRENT));
      break;
    }
    case 'aws:schedule':
      account.delete('hand', name);
      break;
    case 'aws:mark':
      account.tag('hand', name, { [TAG_ABSENT]: '2026-01-01T00:00:00.000Z - purged' });
      break;
    case 'aws:version-tag':
      account.tag('hand', name, { [TAG_VERSION]: '77' });
      break;
    case 'aws:owner':
      account.tag('hand', name, { [TAG_VAULT]: 'another' });
      break;
    case 'aws:rotation':
      account.rotate(name, deed.on);
      break;
    case 'aws:old-versions':
      account.fill(name, OLD_VERSIONS, deed.age, (n) => `${id}-${n}`);
      break;
    default: // what is for other states of the secret
      break;
  }
}
