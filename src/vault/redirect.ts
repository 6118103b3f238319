/**
 * The origin to ask instead, when a standby names the active node. Undefined when the redirect is not one of a cluster:
 * the token goes along, so the scheme must stay; and a redirect may change the node, never the path, since Vault also
 * redirects to a tidied path, which is another secret.
 */
export function redirectTarget(origin: string, path: string, location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location, origin)) return undefined;
  const target = new URL(location, origin);
  const sameScheme = target.protocol === new URL(origin).protocol;
  return sameScheme && samePath(`${target.pathname}${target.search}`, path) ? target.origin : undefined;
}

/** Compared decoded: Go spells some characters in another way than encodeURIComponent. */
function samePath(left: string, right: string): boolean {
  try {
    return decodeURIComponent(left) === decodeURIComponent(right);
  } catch {
    return false;
  }
}
