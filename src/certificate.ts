import { createPrivateKey, X509Certificate } from 'node:crypto';
import tls from 'node:tls';

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Signs the certificates that peers must show. */
  readonly clientCaFile?: string;
}

/** A server's certificate and key, which may be replaced while it serves; open connections keep theirs. */
export interface Certificate {
  /** What a server asks of its peers. */
  readonly serverOptions: tls.TlsOptions;
  /** Gives the server what is in use, now and after each change. */
  attach(server: tls.Server): void;
  /**
   * Reads and tries the files; the function returned puts them to use. Throws an Error that names the setting and the
   * file, and nothing of the file's content.
   */
  prepare(files: CertificateFiles): Promise<() => void>;
}

/**
 * Has nothing to serve with until the first files are put to use.
 * @param section names the settings in errors, such as `ingress.tls`
 * @param mutual whether peers must show a certificate
 */
export function createCertificate(
  section: string,
  mutual: boolean,
  readFile: (path: string) => Promise<string>,
): Certificate {
  const servers: tls.Server[] = [];
  let inUse: tls.SecureContextOptions | undefined;
  return {
    serverOptions: { requestCert: mutual, rejectUnauthorized: mutual, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 },
    attach(server) {
      servers.push(server);
      if (inUse !== undefined) server.setSecureContext(inUse);
    },
    async prepare(files) {
      if (mutual !== (files.clientCaFile !== undefined)) {
        throw new Error(`${section}.clientCaFile: whether senders need a certificate is decided at the start; restart`);
      }
      const context = await readContext(files, section, readFile);
      return () => {
        inUse = context;
        for (const server of servers) server.setSecureContext(context);
      };
    },
  };
}

async function readContext(
  { certFile, keyFile, clientCaFile }: CertificateFiles,
  section: string,
  readFile: (path: string) => Promise<string>,
): Promise<tls.SecureContextOptions> {
  const read = async (key: string, path: string, isRight: (text: string) => boolean, expected: string) => {
    const text = await readFile(path).catch(({ code }: NodeJS.ErrnoException) => {
      throw new Error(`${section}.${key}: cannot read ${path} (${code})`);
    });
    if (!passes(() => isRight(text))) throw new Error(`${section}.${key}: ${path} ${expected}`);
    return text;
  };
  const cert = await read('certFile', certFile, isCertificate, 'holds no PEM certificate');
  const isKey = (text: string) => new X509Certificate(cert).checkPrivateKey(createPrivateKey(text));
  const key = await read('keyFile', keyFile, isKey, `holds no PEM private key, without passphrase, of ${certFile}`);
  const ca =
    clientCaFile === undefined
      ? undefined
      : await read('clientCaFile', clientCaFile, isCertificate, 'holds no PEM certificate');
  const context = { cert, key, minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) } as const;
  if (!passes(() => tls.createSecureContext(context))) throw new Error(`${section}: ${certFile} cannot be served`);
  return context;
}

const isCertificate = (text: string): boolean => new X509Certificate(text).raw.length > 0;

function passes(tried: () => unknown): boolean {
  try {
    return tried() !== false;
  } catch {
    return false;
  }
}
