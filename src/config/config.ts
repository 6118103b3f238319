import { Sensitive } from '../sensitive.ts';
import { type HttpAddress, parseHttpAddress, parseSocketAddress, type SocketAddress } from './address.ts';
import { type AuthConfig, resolveAuth } from './auth.ts';
import { routeName } from './checks.ts';
import { trimSlashes } from './formats.ts';
import type { ConfigFile } from './schema.ts';
import { parseDuration, parsePercent, parseSize } from './units.ts';

// What the program works with: durations in milliseconds, sizes in bytes, secrets sealed, defaults filled in.

export interface VaultConfig {
  /** Names this Vault in tags and messages. */
  readonly id: string;
  /** Scheme, host and port; nothing after them. */
  readonly address?: string;
  readonly caFile?: string;
  readonly timeout: number;
  readonly auth?: AuthConfig;
}

export interface IngressConfig {
  readonly socket: false | SocketAddress;
  /** The mode as a number, 0o660. */
  readonly socketMode: number;
  readonly socketGroup?: string;
  readonly insecure: boolean;
  readonly tls?: TlsFiles;
  /** Addresses and CIDR networks that may connect to the socket. */
  readonly allow: readonly string[];
  readonly maxConnections: number;
  readonly maxLineBytes: number;
  readonly http?: IngressHttpConfig;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Signs the certificates that peers must show. */
  readonly clientCaFile?: string;
}

export interface IngressHttpConfig {
  readonly listen: HttpAddress;
  readonly tokens: readonly Sensitive<string>[];
  readonly rateLimit: { readonly max: number; readonly window: number };
  /** Addresses and CIDR networks; absent, whoever has a token. */
  readonly allow?: readonly string[];
}

export interface AdminConfig {
  readonly listen: HttpAddress;
  readonly token?: Sensitive<string>;
  readonly tls?: TlsFiles;
}

export interface RouteConfig {
  readonly name: string;
  /** Without outer slashes; "" is the root namespace. */
  readonly namespace: string;
  /** Without outer slashes. */
  readonly mount: string;
  readonly kvVersion: 'auto' | 1 | 2;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Names of destinations. */
  readonly to: readonly string[];
  readonly as: string;
}

export interface DestinationConfig {
  readonly region?: string;
  readonly endpoint?: string;
  readonly kmsKeyId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly versionTag: boolean;
  /** Past so many copies none is created. */
  readonly maxSecrets: number;
  readonly onDelete: 'retain' | 'schedule';
  readonly deletion: DeletionConfig;
}

export interface DeletionConfig {
  readonly grace: number;
  /** Whole days. */
  readonly recoveryDays: number;
  readonly maxPerSweep: number;
  /** From 0 to 1. */
  readonly maxShare: number;
  readonly replicas: boolean;
}

export interface Config {
  readonly vault: VaultConfig;
  readonly ingress: false | IngressConfig;
  readonly admin: AdminConfig;
  readonly queue: Readonly<
    Record<'url' | 'deadLetterUrl', string> & Record<'visibilityTimeout' | 'maxReceives', number>
  >;
  readonly worker: { readonly concurrency: number; readonly writesPerSecond: number };
  readonly routes: readonly RouteConfig[];
  readonly destinations: Readonly<Record<string, DestinationConfig>>;
  readonly sweep: { readonly every: number; readonly minGap: number; readonly vaultRequestsPerSecond: number };
  readonly log: { readonly level: ConfigFile['log']['level'] };
}

/** Reads the units, addresses and secrets of a file that is valid. Throws a TypeError if it is not. */
export function resolveConfig(file: ConfigFile): Config {
  const { vault, ingress, admin, queue, routes, sweep } = file;
  return {
    ...file,
    vault: resolveVault(vault),
    ingress: ingress === false ? false : resolveIngress(ingress),
    admin: {
      listen: read(parseHttpAddress, admin.listen),
      ...seal(admin),
      ...(admin.tls && { tls: admin.tls }),
    },
    queue: { ...queue, visibilityTimeout: read(parseDuration, queue.visibilityTimeout) },
    routes: routes.map(resolveRoute),
    destinations: Object.fromEntries(
      Object.entries(file.destinations).map(([name, destination]) => [name, resolveDestination(destination)]),
    ),
    sweep: { ...sweep, every: read(parseDuration, sweep.every), minGap: read(parseDuration, sweep.minGap) },
  };
}

function resolveVault({ address, auth, ...vault }: ConfigFile['vault']): VaultConfig {
  return {
    ...vault,
    timeout: read(parseDuration, vault.timeout),
    ...(address !== undefined && { address: new URL(address).origin }),
    ...(auth && { auth: resolveAuth(auth) }),
  };
}

function resolveIngress({ http, ...ingress }: IngressFile): IngressConfig {
  return {
    ...ingress,
    socket: ingress.socket === false ? false : read(parseSocketAddress, ingress.socket),
    socketMode: Number.parseInt(ingress.socketMode, 8),
    allow: ingress.allow ?? (letsAnyone(ingress) ? EVERYONE : LOOPBACK),
    maxLineBytes: read(parseSize, ingress.maxLineBytes),
    ...(http && { http: resolveHttp(http) }),
  };
}

const EVERYONE = ['0.0.0.0/0', '::/0'];
const LOOPBACK = ['127.0.0.1/32', '::1/128'];

/** Whom nothing but an address could tell apart may come from loopback alone, unless the file lists addresses itself. */
const letsAnyone = ({ insecure, tls, socket }: IngressFile): boolean =>
  insecure || (socket !== false && socket.startsWith('tls:') && tls?.clientCaFile !== undefined);

type IngressFile = Exclude<ConfigFile['ingress'], false>;
type HttpFile = NonNullable<IngressFile['http']>;

const resolveHttp = ({ listen, tokens, rateLimit, allow }: HttpFile): IngressHttpConfig => ({
  ...(allow && { allow }),
  listen: read(parseHttpAddress, listen),
  tokens: tokens.map((token) => new Sensitive(token)),
  rateLimit: { ...rateLimit, window: read(parseDuration, rateLimit.window) },
});

const DAY = 86_400_000;

function resolveDestination(destination: ConfigFile['destinations'][string]): DestinationConfig {
  const { grace, recoveryWindow, maxShare, ...rest } = destination.deletion;
  const deletion: DeletionConfig = {
    ...rest,
    grace: read(parseDuration, grace),
    recoveryDays: Math.floor(read(parseDuration, recoveryWindow) / DAY),
    maxShare: read(parsePercent, maxShare),
  };
  return { ...destination, deletion };
}

const resolveRoute = (route: ConfigFile['routes'][number]): RouteConfig => ({
  ...route,
  name: routeName(route),
  namespace: trimSlashes(route.namespace),
  mount: trimSlashes(route.mount),
});

const seal = ({ token }: { token?: string | undefined }): { token?: Sensitive<string> } =>
  token === undefined ? {} : { token: new Sensitive(token) };

function read<From, To>(parse: (value: From) => To | undefined, value: From): To {
  const parsed = parse(value);
  // The schema has let it through, so schema and parser disagree: a fault of this program, not of the file.
  if (parsed === undefined) throw new TypeError('a value that passed the configuration schema cannot be read');
  return parsed;
}
