/** Which secret: namespace and mount without outer slashes, "" is the root namespace; path below the mount. */
export interface SecretRef {
  readonly namespace: string;
  readonly mount: string;
  readonly path: string;
}

/** A mount of KV, wherever only the mount is meant. */
export type MountRef = Pick<SecretRef, 'namespace' | 'mount'>;

/** Under which a map keeps what belongs to a mount: no other mount has it, and no part is escaped to make it. */
export const mountKey = ({ namespace, mount }: MountRef): string => `${namespace}\0${mount}`;

const escapeSegment = (text: string): string => text.replace(/[%:]/g, (c) => (c === '%' ? '%25' : '%3A'));
const unescapeSegment = (text: string): string => text.replace(/%(25|3A)/gi, (_, hex) => (hex === '25' ? '%' : ':'));

/** The mount as people write it: `[namespace:]mount`. */
export const formatMount = ({ namespace, mount }: MountRef): string =>
  namespace === '' ? escapeSegment(mount) : `${escapeSegment(namespace)}:${escapeSegment(mount)}`;

/** The ref as people write it: `[namespace:]mount/path`, with `%` and `:` inside the parts written %25 and %3A. */
export const formatRef = (ref: SecretRef): string => `${formatMount(ref)}/${escapeSegment(ref.path)}`;

/**
 * Reads `[namespace:]mount/path`. Mounts may have several segments, so the mount is the longest of `mounts`
 * (the routed ones) that begins the text; undefined when none does or no path is left.
 */
export function parseRef(text: string, mounts: readonly MountRef[]): SecretRef | undefined {
  const colon = text.indexOf(':');
  const namespace = colon < 0 ? '' : unescapeSegment(text.slice(0, colon));
  const rest = unescapeSegment(text.slice(colon + 1));
  const mount = longestMount(mounts, namespace, rest);
  return mount === undefined ? undefined : { namespace, mount, path: rest.slice(mount.length + 1) };
}

/**
 * Whether Vault can have a secret of this path: an empty segment, `.` or `..` is redirected to the tidied path, which is
 * another secret; control characters and lone surrogates are no Vault path.
 */
export const isVaultPath = (path: string): boolean => !/(?:^|\/)\.{0,2}(?:\/|$)|[\p{Cc}\p{Cs}]/u.test(path);

/** The longest of `mounts` in `namespace` that begins `path` and leaves a path below it. */
export function longestMount(mounts: readonly MountRef[], namespace: string, path: string): string | undefined {
  let longest: string | undefined;
  for (const candidate of mounts) {
    if (candidate.namespace !== namespace || !path.startsWith(`${candidate.mount}/`)) continue;
    if (path.length === candidate.mount.length + 1) continue;
    if (longest === undefined || candidate.mount.length > longest.length) longest = candidate.mount;
  }
  return longest;
}
