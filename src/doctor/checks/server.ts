import { isLoopback } from '../../config/address.ts';
import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';

/** What sys/health says, or why it says nothing. `address` is undefined where a secret of its own names it. */
export type Health =
  | { readonly kind: 'unconfigured' }
  /** `code` is Node's, such as ECONNREFUSED. */
  | {
      readonly kind: 'unreachable';
      readonly address: string | undefined;
      readonly code: string;
      readonly reason: string;
    }
  /** Something answers that is no Vault; `wantsTls` when it says that it speaks HTTPS alone. */
  | {
      readonly kind: 'foreign';
      readonly address: string | undefined;
      readonly status: number;
      readonly wantsTls: boolean;
    }
  | ({ readonly kind: 'answered'; readonly address: string | undefined } & Answered);

export interface Answered {
  readonly initialized: boolean;
  readonly sealed: boolean;
  readonly standby: boolean;
  /** A secondary for disaster recovery, which serves nobody. */
  readonly drSecondary: boolean;
  readonly product: Product;
  readonly version: string;
  /** Vault's clock, and ours when the answer was there; ms since the epoch. */
  readonly serverTime?: number;
  readonly receivedAt: number;
}

export type Product = 'Vault' | 'Vault Enterprise' | 'OpenBao';

/**
 * Vault's sys/health has told `enterprise` since 1.17, and an Enterprise version ends in `+ent`; OpenBao began at 2.0
 * and tells neither.
 */
export function productOf(version: string, enterprise: unknown): Product {
  if (enterprise === true || version.includes('+ent')) return 'Vault Enterprise';
  return enterprise === false || version.startsWith('1.') ? 'Vault' : 'OpenBao';
}

export const UNCONFIGURED = 'vault.address and vault.auth are not configured: an ingress alone can do without';

/** Is Vault there, able to answer, and is the way to it safe? */
export function judgeServer(health: Health): Finding[] {
  switch (health.kind) {
    case 'unconfigured':
      return [notChecked('server', UNCONFIGURED)];
    case 'unreachable':
      return [
        failure(
          'server',
          `no answer from ${place(health.address)}: ${health.reason}`,
          wayMend(health.code, health.address),
        ),
      ];
    case 'foreign':
      return [
        failure('server', `${place(health.address)} answers ${health.status}, not as Vault does`, foreignMend(health)),
      ];
    case 'answered':
      return [server(health), ...wayTo(health.address)];
  }
}

function server(health: Answered & { readonly address: string | undefined }): Finding {
  const { address, initialized, sealed, standby, drSecondary, product, version } = health;
  const what = `${product} ${version} at ${place(address)}`;
  if (!initialized) return failure('server', `${what} is not initialised`, `run: ${tool(product)} operator init`);
  if (sealed) return failure('server', `${what} is sealed`, `run: ${tool(product)} operator unseal`);
  if (drSecondary) {
    return failure('server', `${what} is a secondary for disaster recovery`, 'name the primary in vault.address');
  }
  return ok('server', `${what}, unsealed, ${standby ? 'standby' : 'active'}`);
}

/** The command line of the product. */
export const tool = (product: Product): string => (product === 'OpenBao' ? 'bao' : 'vault');

const place = (address: string | undefined): string => address ?? 'the address in vault.auth.connectionSecret';

function wayTo(address: string | undefined): Finding[] {
  if (address === undefined) return [];
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:') return [ok('TLS', 'the certificate is valid and was verified')];
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isLoopback(host)) return [ok('TLS', 'none, and none is needed on loopback')];
  const found = `none: the token and all values travel to ${host} in plain text`;
  return [warning('TLS', found, 'give Vault a certificate, and write https:// in vault.address')];
}

const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

function wayMend(code: string, address: string | undefined): string {
  if (UNTRUSTED.includes(code)) return "name the certificates that sign Vault's (PEM) in vault.caFile";
  if (code === 'CERT_HAS_EXPIRED') return "renew Vault's certificate";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'name Vault in vault.address as its certificate does';
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return 'if Vault speaks no TLS there, write http:// in vault.address';
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'mend the host in vault.address, or the name service';
  return `see that Vault runs, and that ${place(address)} can be reached from here`;
}

const foreignMend = ({ wantsTls }: { readonly wantsTls: boolean }): string =>
  wantsTls ? 'write https:// in vault.address' : 'see what listens there; vault.address must be that of Vault itself';
