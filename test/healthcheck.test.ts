import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createAuthority } from './servers/certificates.ts';
import { baseEnv } from './servers/child.ts';
import { projectRoot } from './servers/root.ts';

const config = (listen: string): string => `
admin: { listen: "${listen}", token: "\${ADMIN_TOKEN}" }
queue:
  url: http://127.0.0.1:9/123456789012/vaultferry.fifo
  deadLetterUrl: http://127.0.0.1:9/123456789012/vaultferry-dlq.fifo
routes:
  - { mount: kv, kvVersion: 2 }
`;

/** Its exit code. */
const healthcheck = (VAULTFERRY_CONFIG: string): Promise<unknown> =>
  new Promise((resolve) => {
    const env = { ...baseEnv(), ADMIN_TOKEN: 'made-up', VAULTFERRY_CONFIG };
    const program = join(projectRoot(), 'build/src/healthcheck.js');
    execFile(process.execPath, [program], { env }, (error) => resolve(error?.code ?? 0));
  });

/** Answers `status` at /healthz and 404 elsewhere; its port. */
async function admin(t: Test, status: number): Promise<number> {
  const server = createServer(({ url }, answer) => answer.writeHead(url === '/healthz' ? status : 404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const cases = [
  { status: 200, listen: '127.0.0.1', code: 0 },
  { status: 200, listen: '0.0.0.0', code: 0 },
  { status: 503, listen: '127.0.0.1', code: 1 },
];

for (const { status, listen, code } of cases) {
  t.test(`/healthz of admin.listen ${listen} says ${status}: it ends with ${code}`, async (t) => {
    const port = await admin(t, status);
    t.equal(await healthcheck(config(`http://${listen}:${port}`)), code);
  });
}

t.test('over TLS, whatever name the certificate has', async (t) => {
  const server = createSecureServer(createAuthority('x').issue('y'), (_, answer) => answer.writeHead(200).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const secured = config(`https://127.0.0.1:${port}`).replace('token:', 'tls: { certFile: c, keyFile: k }, token:');
  t.equal(await healthcheck(secured), 0);
});

t.test('nobody listens, or the configuration cannot be read: it ends with 1', async (t) => {
  t.equal(await healthcheck(config('http://127.0.0.1:1')), 1);
  t.equal(await healthcheck('/nowhere/vaultferry.yaml'), 1);
});
