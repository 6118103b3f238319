import { isIP, isIPv4, isIPv6 } from 'node:net';

type HostPort = { readonly host: string; readonly port: number };
export type HttpAddress = HostPort & { readonly tls?: true };
export type SocketAddress =
  | ({ readonly kind: 'tcp' | 'tls' } & HostPort)
  | { readonly kind: 'unix'; readonly path: string };

// The kernel's sun_path holds 108 bytes with its final NUL; a longer path fails only at bind, and obscurely.
const UNIX_PATH_BYTES = 107;

const isHostName = (host: string): boolean => /^(?!-)[A-Za-z0-9.-]{1,253}$/.test(host) && !/^[\d.]+$/.test(host);

function parseHostPort(text: string): HostPort | undefined {
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const valid = bracketed === undefined ? isIPv4(host) || isHostName(host) : isIPv6(host);
  const port = Number(digits);
  return valid && port <= 65_535 ? { host, port } : undefined;
}

/** Reads `http://host:port` or `https://…`, an IPv6 host in brackets, port 0 for one of the kernel's choosing. */
export function parseHttpAddress(text: string): HttpAddress | undefined {
  const [, scheme, rest = ''] = /^(https?):\/\/(.*?)\/?$/.exec(text) ?? [];
  const address = parseHostPort(rest);
  return address && { ...address, ...(scheme === 'https' && { tls: true }) };
}

/** Reads `tcp://host:port`, `tls://host:port` or `unix:/absolute/path`. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const [, scheme, rest = ''] = /^(tcp|tls):\/\/(.*?)\/?$/.exec(text) ?? [];
  if (scheme !== undefined) {
    const address = parseHostPort(rest);
    return address && { kind: scheme === 'tls' ? 'tls' : 'tcp', ...address };
  }
  const path = text.startsWith('unix:') ? text.slice(5).replace(/^\/\/(?=\/)/, '') : '';
  const valid = /^\/[^\0]+$/.test(path) && Buffer.byteLength(path) <= UNIX_PATH_BYTES;
  return valid ? { kind: 'unix', path } : undefined;
}

const formatHost = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

/** `http://host:port` or `https://…`, IPv6 in brackets. */
export const formatHttpAddress = ({ host, port, tls }: HttpAddress): string =>
  `${tls ? 'https' : 'http'}://${formatHost(host)}:${port}`;

/** The spelling that parseSocketAddress reads back. */
export const formatSocketAddress = (address: SocketAddress): string =>
  address.kind === 'unix' ? `unix:${address.path}` : `${address.kind}://${formatHost(address.host)}:${address.port}`;

/** Whether only this host can reach a listener bound to `host`. A name other than localhost may resolve to anything. */
export const isLoopback = (host: string): boolean =>
  host.toLowerCase() === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** Whether the text is an IP address, alone or with a prefix length (CIDR). */
export function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128);
}

/**
 * Reads an absolute http or https URL without credentials and fragment. Credentials in a URL are refused because
 * URLs, unlike tokens, are logged and printed.
 */
export function parseUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^\s]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}
