import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { formatHttpAddress, type HttpAddress } from './config/address.ts';
import { environment } from './config/env.ts';
import { loadConfig } from './config/load.ts';

// The image's health check, a program of its own: the command line would load the AWS SDK each time. Ends with 0 if
// /healthz answers at admin.listen of the configuration that `vaultferry` finds without --config, and with 1 if not.

/** In ms; the image allows 5 s in all. */
const TIMEOUT = 3_000;

/** Who listens on every address is asked at the loopback's. */
const reachable = ({ host, ...rest }: HttpAddress): HttpAddress => ({ host: LOOPBACK[host] ?? host, ...rest });
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

async function isHealthy(): Promise<boolean> {
  const { admin } = await loadConfig({ env: environment(), readFile: (path) => readFile(path, 'utf8') });
  const url = `${formatHttpAddress(reachable(admin.listen))}/healthz`;
  const signal = AbortSignal.timeout(TIMEOUT);
  // It asks itself, and nothing secret: the certificate, which seldom names a loopback address, is not checked.
  const request = admin.listen.tls ? https.get(url, { signal, rejectUnauthorized: false }) : http.get(url, { signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode === 200;
}

process.exitCode = await isHealthy().then(
  (healthy) => (healthy ? 0 : 1),
  () => 1,
);
