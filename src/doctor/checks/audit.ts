import { formatSocketAddress, type HttpAddress, type SocketAddress } from '../../config/address.ts';
import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';
import { type Product, tool } from './server.ts';

/** An audit device as sys/audit lists it; the path ends in "/". */
export interface Device {
  readonly path: string;
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
}

/** Where our own doors are, as configured. */
export interface Doors {
  readonly socket: false | SocketAddress;
  readonly http: HttpAddress | undefined;
}

export type AuditFacts =
  /** `ingress: false`: nothing is pushed. */
  | { readonly kind: 'pull' }
  | { readonly kind: 'unknown'; readonly reason: string; readonly mend?: string }
  | { readonly kind: 'devices'; readonly devices: readonly Device[]; readonly doors: Doors; readonly product: Product };

/** What the operator's own token must be allowed, and VaultFerry's never needs. */
export const SUDO = 'give the operator\'s token path "sys/audit" { capabilities = ["read", "sudo"] }';

type Known = Extract<AuditFacts, { kind: 'devices' }>;

/** Do Vault's audit devices push to us, and does Vault outlive us? */
export function judgeAudit(facts: AuditFacts): Finding[] {
  if (facts.kind === 'pull') return [ok('devices', 'none are needed: ingress is false, and sweeps alone replicate')];
  if (facts.kind === 'unknown') return [notChecked('devices', facts.reason, facts.mend)];
  const ours = facts.devices.filter((device) => isOurs(device, facts.doors));
  return [
    push(facts, ours),
    second(facts, ours),
    ...logRaw(facts.devices, ours),
    ...ours.flatMap((device) => [...shape(device), ...writeTimeout(device), ...received(device)]),
  ];
}

/** Whether a device writes to one of our doors, as far as addresses tell: hosts have many names, ports have one. */
function isOurs({ type, options }: Device, { socket, http }: Doors): boolean {
  if (type === 'http') return isOurUri(options['uri'] ?? '', http);
  if (type !== 'socket' || socket === false) return false;
  const { address = '', socket_type: kind = 'tcp' } = options;
  if (socket.kind === 'unix') return kind === 'unix' && address === socket.path;
  return kind.startsWith('tcp') && (socket.port === 0 || address.endsWith(`:${socket.port}`));
}

function isOurUri(uri: string, http: HttpAddress | undefined): boolean {
  if (http === undefined || !URL.canParse(uri)) return false;
  const { pathname, port, protocol } = new URL(uri);
  // Behind https stands a TLS terminator, whose port is its own.
  return pathname === '/v1/audit' && (protocol === 'https:' || http.port === 0 || port === String(http.port));
}

function push(facts: Known, ours: readonly Device[]): Finding {
  const { devices, doors, product } = facts;
  if (ours.length > 0) return ok('push', `${named(ours)} ${ours.length === 1 ? 'writes' : 'write'} to VaultFerry`);
  const mend = enable(doors, product);
  const others = devices.filter(({ type }) => type === 'socket' || type === 'http');
  if (others.length > 0) {
    return warning('push', `${named(others)} may write to VaultFerry, but not at the configured address`, mend);
  }
  if (doors.http !== undefined && devices.length > 0) {
    return warning('push', 'no device writes to VaultFerry; well if a forwarder posts the lines of a file', mend);
  }
  return failure('push', 'no audit device writes to VaultFerry, so only sweeps replicate', mend);
}

function enable({ socket, http }: Doors, product: Product): string {
  if (socket === false) return uriMend(http);
  const [address, kind] =
    socket.kind === 'unix' ? [socket.path, 'unix'] : [formatSocketAddress(socket).replace('tcp://', ''), 'tcp'];
  return product === 'OpenBao'
    ? `in OpenBao's configuration: audit "socket" "vaultferry" { options { address = "${address}", socket_type = "${kind}" } }`
    : `vault audit enable -path=vaultferry socket address=${address} socket_type=${kind}`;
}

const uriMend = (http: HttpAddress | undefined): string =>
  `set the http device's uri to that of ingress.http${http === undefined ? '' : ` (port ${http.port})`} with /v1/audit?ack=received`;

function second({ devices, product }: Known, ours: readonly Device[]): Finding {
  const others = devices.filter((device) => !ours.includes(device));
  if (others.length > 0) return ok('second device', `${named(others)}`);
  const found = 'there is none: while VaultFerry is down, Vault refuses every request';
  const mend =
    product === 'OpenBao'
      ? `in OpenBao's configuration: audit "file" "file" { options { file_path = "/var/log/openbao/audit.log" } }`
      : `${tool(product)} audit enable file file_path=/var/log/vault/audit.log`;
  return failure('second device', found, mend);
}

function logRaw(devices: readonly Device[], ours: readonly Device[]): Finding[] {
  const raw = devices.filter(({ options }) => isTrue(options['log_raw']));
  if (raw.length === 0) return [ok('log_raw', 'off')];
  const found = `${named(raw)} ${raw.length === 1 ? 'writes' : 'write'} tokens and values in plain text`;
  const mend = 'enable the device anew without log_raw (OpenBao: log_raw = "false" in its stanza, then restart)';
  return [
    raw.some((device) => ours.includes(device)) ? failure('log_raw', found, mend) : warning('log_raw', found, mend),
  ];
}

/** What ParseBool of Go takes for true. */
const isTrue = (text = ''): boolean => ['1', 't', 'true'].includes(text.toLowerCase());

function shape({ path, options: { format = 'json', prefix = '' } }: Device): Finding[] {
  if (format === 'json' && prefix === '') return [];
  const found = `${path} writes ${format === 'json' ? 'a prefix before each line' : format}, and VaultFerry reads plain JSON lines`;
  return [failure('format', found, 'enable the device anew with format=json and without prefix')];
}

/** Vault's own default, in ms. */
const DEFAULT_TIMEOUT = 2_000;

function writeTimeout({ path, type, options }: Device): Finding[] {
  if (type !== 'socket') return [];
  const timeout = goDuration(options['write_timeout'] ?? '2s');
  const mend = `enable ${path} anew with write_timeout=2s`;
  if (timeout === undefined) return [notChecked('write_timeout', `that of ${path} cannot be read`)];
  if (timeout === 0)
    return [failure('write_timeout', `${path} waits for ever, and every request of Vault with it`, mend)];
  if (timeout > DEFAULT_TIMEOUT) {
    return [warning('write_timeout', `a stalled receiver stalls Vault for ${timeout / 1000} s a request`, mend)];
  }
  return [ok('write_timeout', `${timeout / 1000} s`)];
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, '': 1_000 };

/** Milliseconds of `2s`, `1m30s`, `500ms` or bare seconds; undefined for anything else. */
export function goDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$|^\d+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|)/g);
  return [...parts].reduce((sum, [, number, unit = '']) => sum + Number(number) * Number(UNITS[unit]), 0);
}

function received({ path, type, options }: Device): Finding[] {
  if (type !== 'http') return [];
  const { searchParams } = new URL(String(options['uri']));
  if (searchParams.get('ack') === 'received') return [ok('ack', `${path} does not wait for SQS`)];
  return [
    warning(
      'ack',
      `${path} makes every request of OpenBao wait until SQS has answered`,
      `let the uri of ${path} end in /v1/audit?ack=received`,
    ),
  ];
}

const named = (devices: readonly Device[]): string => devices.map(({ path }) => path).join(', ');
