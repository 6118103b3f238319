import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Test } from 'tap';

const REFUSAL = JSON.stringify({ errors: ['failed to parse policy: path "x": invalid capability "scan"'] });

/** The address of a proxy before an OpenBao that refuses, as Vault does, a policy with a capability of OpenBao's own. */
export async function likeVault(t: Test, target: string): Promise<string> {
  const server = createServer((request, response) => void answer(target, request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no TCP port.');
  return `http://127.0.0.1:${address.port}`;
}

async function answer(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method = 'GET', url = '/' } = request;
  const body = method === 'GET' ? null : Buffer.concat(chunks);
  if (url.startsWith('/v1/sys/policies/') && body?.includes('scan') === true)
    return void response.writeHead(400).end(REFUSAL);
  const headers = Object.entries(request.headers).filter(([name]) => /^x-vault-/.test(name)) as [string, string][];
  const answered = await fetch(target + url, { method, headers, body });
  response.writeHead(answered.status).end(Buffer.from(await answered.arrayBuffer()));
}
