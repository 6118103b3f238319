import { ReplicationError } from '../errors.ts';
import { formatMount, formatRef, isVaultPath, type MountRef, type SecretRef } from '../replicate/ref.ts';

/** Where a secret's current value is read. Throws source_forbidden for a path that Vault cannot address. */
export const valuePath = (ref: SecretRef, kv: 1 | 2 = 2): string =>
  `/${encode(`${ref.mount}/${kv === 2 ? 'data/' : ''}${ref.path}`, formatRef(ref))}`;

/** Where a mount tells its type, version and accessor to whoever may use it. */
export const entryPath = (ref: MountRef): string =>
  `/sys/internal/ui/mounts/${encode(ref.mount, `the mount ${formatMount(ref)}`)}`;

/**
 * Where a folder is listed: `folder` is "" or ends in "/". The query stands for the LIST verb, which OpenBao and Vault
 * both take and which every HTTP proxy lets through.
 */
export function listPath(ref: MountRef, folder: string, kv: 1 | 2 = 2): string {
  const inner = `${ref.mount}/${kv === 2 ? 'metadata/' : ''}${folder}`.slice(0, -1);
  return `/${encode(inner, `the folder ${formatMount(ref)}/${folder}`)}/?list=true`;
}

/** Where a secret's metadata is read. */
export const metadataPath = (ref: SecretRef): string =>
  `/${encode(`${ref.mount}/metadata/${ref.path}`, formatRef(ref))}`;

/** Where OpenBao lists and scans a folder with its secrets' metadata; to be followed by a query. */
export function detailedPath(ref: MountRef, folder: string): string {
  const inner = `${ref.mount}/detailed-metadata/${folder}`.slice(0, -1);
  return `/${encode(inner, `the folder ${formatMount(ref)}/${folder}`)}/`;
}

/**
 * Each segment is percent-encoded, so that `#`, `?`, `%` and the like reach Vault as part of the name. What Vault
 * cannot have is refused here: it would answer with a redirect to another secret, or with a 404 that looks like a purge.
 */
function encode(path: string, what: string): string {
  if (!isVaultPath(path)) {
    throw new ReplicationError(
      'source_forbidden',
      `Vault has no path like that of ${JSON.stringify(what)}: an empty segment, "." or "..", or a control character; check the ref`,
    );
  }
  return path.split('/').map(encodeURIComponent).join('/');
}
