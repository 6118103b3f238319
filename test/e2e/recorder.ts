import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call to AWS, as it came over the wire, without SecretString: the one field that may hold a secret value. */
export interface Call {
  /** `CreateSecret`, `SendMessageBatch`, … */
  readonly operation: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly answer: Readonly<Record<string, unknown>>;
  /** Request line, headers and bodies of request and answer. */
  readonly text: string;
}

export interface Recorder {
  readonly endpoint: string;
  readonly calls: readonly Call[];
  close(): Promise<void>;
}

/** A proxy in front of the emulator that keeps what passes. */
export async function startRecorder(upstream: string): Promise<Recorder> {
  const calls: Call[] = [];
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    pass(request, response, { upstream, agent })
      .then((exchange) => calls.push(callOf(request, exchange)))
      .catch(() => response.destroy()); // the emulator is down, or the caller is gone
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Exchange {
  readonly sent: Buffer;
  readonly answered: Buffer;
}

async function pass(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { upstream, agent }: { readonly upstream: string; readonly agent: http.Agent },
): Promise<Exchange> {
  const sent = await bytes(request);
  const { method = 'GET', headers, url = '/' } = request;
  const onward = http.request(`${upstream}${url}`, { method, headers, agent });
  response.once('close', () => {
    if (!response.writableFinished) onward.destroy(); // a long poll whose caller was killed ends here too
  });
  onward.end(sent);
  const [answer] = (await once(onward, 'response')) as [http.IncomingMessage];
  const answered = await bytes(answer);
  response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
  return { sent, answered };
}

async function bytes(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function callOf({ method, url, headers }: http.IncomingMessage, { sent, answered }: Exchange): Call {
  const operation = String(headers['x-amz-target'] ?? '').replace(/^.*\./, '');
  const { SecretString: _value, ...request } = fields(sent);
  const { SecretString, ...answer } = fields(answered);
  const said = SecretString === undefined ? answered.toString() : JSON.stringify(answer); // of GetSecretValue alone
  const text = [method, url, JSON.stringify(headers), JSON.stringify(request), said].join('\n');
  return { operation, request, answer, text };
}

const fields = (body: Buffer): Record<string, unknown> =>
  body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>);

/** A message that was put on a queue, and the id that SQS gave it. */
export interface Sent {
  readonly url: string;
  readonly body: string;
  readonly id: string | undefined;
}

export const sentMessages = (calls: readonly Call[]): Sent[] =>
  calls
    .filter(({ operation }) => operation === 'SendMessageBatch')
    .flatMap(({ request, answer }) => {
      const entries = request['Entries'] as readonly { readonly Id: string; readonly MessageBody: string }[];
      const taken = (answer['Successful'] ?? []) as readonly { readonly Id: string; readonly MessageId: string }[];
      return entries.map(({ Id, MessageBody }) => ({
        url: String(request['QueueUrl']),
        body: MessageBody,
        id: taken.find((entry) => entry.Id === Id)?.MessageId,
      }));
    });
