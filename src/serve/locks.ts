import { readFile } from 'node:fs/promises';
import { type BearerTest, createBearerDoor } from '../bearer.ts';
import { type Certificate, createCertificate } from '../certificate.ts';
import type { AdminConfig, Config, IngressConfig, TlsFiles } from '../config/config.ts';
import { type Replaceable, replaceableCertificate, replaceableTokens } from './reload.ts';

/** What an endpoint is opened with: tokens, and the certificate of `tls://` and `https://`. */
export interface Locks {
  readonly authorized: BearerTest;
  readonly certificate: Certificate | undefined;
  /** Reads the certificate for the first time. Throws an Error that names the file. */
  load(): Promise<void>;
  /** What SIGHUP replaces. */
  readonly replaceable: readonly Replaceable[];
}

export function ingressLocks({ http, tls }: IngressConfig): Locks {
  const door = createBearerDoor(http?.tokens ?? []);
  const tokensOf = ({ ingress }: Config) => (ingress === false ? undefined : ingress.http?.tokens) ?? 'none';
  const filesOf = ({ ingress }: Config) => (ingress === false ? undefined : ingress.tls);
  const tokens = http === undefined ? [] : [replaceableTokens('ingress.http.tokens', door, tokensOf)];
  return { authorized: door.authorized, ...certified('ingress.tls', tls, filesOf, tokens) };
}

export function adminLocks({ token, tls }: AdminConfig): Locks {
  const listed = (given: AdminConfig['token']) => given && [given];
  const door = createBearerDoor(listed(token));
  const tokens = [replaceableTokens('admin.token', door, ({ admin }) => listed(admin.token))];
  return { authorized: door.authorized, ...certified('admin.tls', tls, ({ admin }) => admin.tls, tokens) };
}

function certified(
  key: string,
  tls: TlsFiles | undefined,
  filesOf: (config: Config) => TlsFiles | undefined,
  tokens: readonly Replaceable[],
): Omit<Locks, 'authorized'> {
  if (tls === undefined) return { certificate: undefined, load: async () => {}, replaceable: tokens };
  const certificate = createCertificate(key, tls.clientCaFile !== undefined, (path) => readFile(path, 'utf8'));
  return {
    certificate,
    load: async () => (await certificate.prepare(tls))(),
    replaceable: [...tokens, replaceableCertificate(key, certificate, filesOf)],
  };
}
