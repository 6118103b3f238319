import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What happens to a call: it is answered with an AWS error of this name, never answered, or carried out and then left
 * without its answer.
 */
export type Fault = { readonly error: string; readonly status?: number } | 'hang' | 'drop';

export interface FaultProxy {
  readonly endpoint: string;
  /** Chooses by operation (`PutSecretValue`) and service (`secretsmanager`, `AmazonSQS`); set and cleared by whoever tests. */
  fault: ((operation: string, service: string) => Fault | undefined) | undefined;
  /** Operations that met a fault. */
  readonly met: readonly string[];
  /** The most receives that SQS told of a message, by message id. */
  readonly receives: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** A proxy in front of an AWS endpoint that fails on demand and counts receives. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const agent = new http.Agent({ keepAlive: true });
  const receives = new Map<string, number>();
  const met: string[] = [];
  const server = http.createServer((request, response) => {
    carry(request, response).catch(() => response.destroy()); // the endpoint is down, or the caller is gone
  });
  const carry = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const [service = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const sent = await bytes(request);
    const fault = proxy.fault?.(operation, service);
    if (fault !== undefined) met.push(operation);
    if (fault === 'hang') return;
    if (typeof fault === 'object') return refuse(response, fault);
    const answer = await pass(request, sent, response, upstream, agent);
    if (fault === 'drop') return void response.destroy();
    if (operation === 'ReceiveMessage') count(answer.body, receives);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: undefined,
    met,
    receives,
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

function refuse(response: http.ServerResponse, { error, status = 400 }: { error: string; status?: number }): void {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': error };
  response.writeHead(status, headers).end(JSON.stringify({ __type: error, message: 'on demand' }));
}

async function pass(
  { method = 'POST', url = '/', headers }: http.IncomingMessage,
  sent: Buffer,
  response: http.ServerResponse,
  upstream: string,
  agent: http.Agent,
) {
  const onward = http.request(`${upstream}${url}`, { method, headers, agent });
  response.once('close', () => {
    if (!response.writableFinished) onward.destroy();
  });
  onward.end(sent);
  const [answer] = (await once(onward, 'response')) as [http.IncomingMessage];
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await bytes(answer) };
}

async function bytes(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface ReceivedMessage {
  readonly MessageId: string;
  readonly Attributes?: Readonly<Record<string, string>>;
}

function count(body: Buffer, receives: Map<string, number>): void {
  const { Messages = [] } = JSON.parse(body.toString()) as { Messages?: readonly ReceivedMessage[] };
  for (const { MessageId, Attributes = {} } of Messages) {
    receives.set(MessageId, Math.max(receives.get(MessageId) ?? 0, Number(Attributes['ApproximateReceiveCount'])));
  }
}
