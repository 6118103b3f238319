import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of AWS; `hang` never answers, `reset` cuts the connection. */
export interface AwsAnswer {
  readonly status?: number;
  readonly body?: string | object;
  /** `false` leaves the Date header out. */
  readonly date?: string | false;
  readonly act?: 'hang' | 'reset';
}

export interface AwsStandIn {
  readonly endpoint: string;
  /** What an SDK client needs to talk to it. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** Answers every request so, from now on. */
  answer(answer: AwsAnswer): void;
  /** The operations that were asked for. */
  readonly operations: readonly string[];
  /** The signatures of these requests, which name the region. */
  readonly authorizations: readonly string[];
  close(): Promise<void>;
}

/** The error of an AWS service's JSON protocol. */
export const awsError = (name: string, message: string, status = 400): AwsAnswer => ({
  status,
  body: { __type: `com.amazonaws.service#${name}`, message, Message: message },
});

/** A server on loopback that answers as it is told, in AWS's JSON protocol: for the failures that no emulator makes. */
export async function startAwsStandIn(): Promise<AwsStandIn> {
  const operations: string[] = [];
  const authorizations: string[] = [];
  let next: AwsAnswer = {};
  const server = http.createServer((request, response) => {
    operations.push(String(request.headers['x-amz-target']).split('.').at(-1) ?? '');
    authorizations.push(request.headers.authorization ?? '');
    request.resume();
    const { status = 200, body = {}, date, act } = next;
    if (act === 'hang') return;
    if (act === 'reset') return void request.socket.destroy();
    response.sendDate = date !== false;
    if (typeof date === 'string') response.setHeader('date', date);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'request-1' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    client: { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } },
    answer(answer) {
      next = answer;
    },
    operations,
    authorizations,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
