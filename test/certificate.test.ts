import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { createCertificate } from '../src/certificate.ts';
import { createAuthority } from './servers/certificates.ts';

const authority = createAuthority('first authority');
const other = createAuthority('other authority');

/** Files of these contents, by the settings' names. */
async function files(t: Test, contents: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'vaultferry-tls-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const write = async (key: string, text: string) => {
    const path = join(folder, `${key}.pem`);
    await writeFile(path, text);
    return [key, path] as const;
  };
  const paths = await Promise.all(Object.entries(contents).map(([key, text]) => write(key, text)));
  return Object.fromEntries(paths) as { certFile: string; keyFile: string; clientCaFile?: string };
}

const read = (path: string) => readFile(path, 'utf8');
const issued = (name: string) => {
  const { cert, key } = authority.issue(name);
  return { certFile: cert, keyFile: key };
};

async function serve(t: Test, certificate: ReturnType<typeof createCertificate>) {
  const server = tls.createServer(certificate.serverOptions, (socket) =>
    socket
      .on('error', () => {})
      .resume()
      .write('hello'),
  );
  server.on('tlsClientError', () => {});
  certificate.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** The common name that the server shows; undefined where no connection comes about. */
async function nameAt(t: Test, port: number, client: tls.ConnectionOptions = {}): Promise<string | undefined> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.cert, ...client });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  return String(socket.getPeerCertificate().subject.CN);
}

t.test('servers have the certificate that was put to use last, however early they were attached', async (t) => {
  const certificate = createCertificate('ingress.tls', false, read);
  const early = await serve(t, certificate);
  await t.rejects(nameAt(t, early), 'there is none yet');
  (await certificate.prepare(await files(t, issued('one'))))();
  const late = await serve(t, certificate);
  t.same([await nameAt(t, early), await nameAt(t, late)], ['one', 'one']);
  const apply = await certificate.prepare(await files(t, issued('two')));
  t.equal(await nameAt(t, early), 'one', 'prepared is not in use');
  apply();
  t.same([await nameAt(t, early), await nameAt(t, late)], ['two', 'two']);
});

t.test('what cannot be served is told by setting and file, and never by content', async (t) => {
  const right = { ...issued('one'), clientCaFile: authority.cert };
  const cases: [string, Record<string, string>, RegExp][] = [
    ['no certificate', { certFile: 'canary' }, /^ingress\.tls\.certFile: .*certFile\.pem holds no PEM certificate$/],
    ['no key', { keyFile: 'canary' }, /^ingress\.tls\.keyFile: .*keyFile\.pem holds no PEM private key/],
    ["another certificate's key", { keyFile: other.issue('x').key }, /^ingress\.tls\.keyFile: /],
    ['a certificate for a key', { keyFile: right.certFile }, /^ingress\.tls\.keyFile: /],
    ['no authority', { clientCaFile: 'canary' }, /^ingress\.tls\.clientCaFile: .* holds no PEM certificate$/],
    [
      'a broken chain',
      { certFile: `${right.certFile}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` },
      /certFile/,
    ],
  ];
  for (const [name, wrong, message] of cases) {
    const certificate = createCertificate('ingress.tls', true, read);
    const rejected = certificate.prepare(await files(t, { ...right, ...wrong }));
    await t.rejects(rejected, { message }, name);
    await t.rejects(rejected, { message: /^(?![\s\S]*(canary|BEGIN))/ });
  }
  const certificate = createCertificate('admin.tls', false, read);
  const missing = certificate.prepare({ certFile: '/nonexistent/cert.pem', keyFile: '/nonexistent/key.pem' });
  await t.rejects(missing, { message: 'admin.tls.certFile: cannot read /nonexistent/cert.pem (ENOENT)' });
});

t.test('with an authority for clients, only those get in whose certificate it signed', async (t) => {
  const certificate = createCertificate('ingress.tls', true, read);
  const port = await serve(t, certificate);
  (await certificate.prepare(await files(t, { ...issued('server'), clientCaFile: other.cert })))();
  const mayTalk = async (client: tls.ConnectionOptions) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.cert, ...client });
    t.teardown(() => socket.destroy());
    // In TLS 1.3 a client learns of its refusal only when it reads.
    return Promise.race([once(socket, 'close').then(() => false), once(socket, 'data').then(() => true)]).catch(
      () => false,
    );
  };
  t.equal(await mayTalk(other.issue('client')), true);
  t.equal(await mayTalk(authority.issue('client')), false, 'signed by another');
  t.equal(await mayTalk({}), false, 'none at all');
  await t.rejects(certificate.prepare(await files(t, issued('server'))), { message: /clientCaFile.*restart/ });
});
