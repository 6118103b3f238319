import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One answer, to the byte. `hang` never answers, `reset` cuts the connection without a byte, `garbage` is no HTTP. */
export interface Reply {
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly act?: 'hang' | 'reset' | 'garbage';
}

export interface Seen {
  readonly method: string;
  /** As it came over the wire, below /v1. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

type Answering = Reply | ((seen: Seen) => Reply);

export interface VaultHttp {
  readonly address: string;
  readonly requests: readonly Seen[];
  /** Connections accepted so far. */
  connections(): number;
  /** Answers to this raw path, one after another; the last stays. */
  on(path: string, ...replies: readonly Answering[]): void;
  count(path: string): number;
  close(): Promise<void>;
}

const notFound: Reply = { status: 404, body: '{"errors":["no handler for route. route entry not found."]}' };

/** An HTTP server that answers as Vault does, on a loopback port of the kernel's choosing; with `tls` it speaks HTTPS. */
export async function startVaultHttp(tls?: { readonly cert: string; readonly key: string }): Promise<VaultHttp> {
  const replies = new Map<string, Answering[]>();
  const requests: Seen[] = [];
  let connections = 0;
  const listener: http.RequestListener = async (request, response) => {
    const seen = {
      method: request.method ?? '',
      path: (request.url ?? '').replace(/^\/v1/, ''),
      headers: request.headers,
      body: await text(request),
    };
    requests.push(seen);
    const queue = replies.get(seen.path) ?? [notFound];
    const next = (queue.length > 1 ? queue.shift() : queue[0]) ?? notFound;
    answer(typeof next === 'function' ? next(seen) : next, response);
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    on: (path, ...answers) => replies.set(path, [...answers]),
    count: (path) => requests.filter((seen) => seen.path === path).length,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer({ status = 200, body = '', headers = {}, act }: Reply, response: http.ServerResponse): void {
  if (act === 'hang') return;
  if (act === 'reset') response.socket?.destroy();
  else if (act === 'garbage') response.socket?.end(body);
  else response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

export interface VersionTexts {
  readonly version?: number;
  readonly createdTime?: string;
  readonly deletionTime?: string;
  readonly destroyed?: boolean;
}

/** The body of GET data/PATH, with `value` standing in it as it is. */
export const valueBody = (
  value: string,
  {
    version = 1,
    createdTime = '2026-11-24T21:40:57.235646616Z',
    deletionTime = '',
    destroyed = false,
  }: VersionTexts = {},
): string =>
  `{"request_id":"r","lease_id":"","renewable":false,"lease_duration":0,"data":{"data":${value},"metadata":{"created_time":"${createdTime}","custom_metadata":null,"deletion_time":"${deletionTime}","destroyed":${destroyed},"version":${version}}},"wrap_info":null,"warnings":null,"auth":null}\n`;

/** The body of GET sys/internal/ui/mounts/MOUNT. */
export const mountBody = (mount: string, accessor = 'kv_1', type = 'kv', options = '{"version":"2"}'): string =>
  `{"request_id":"r","data":{"accessor":"${accessor}","options":${options},"path":"${mount}/","type":"${type}"}}\n`;

export const keysBody = (...keys: readonly string[]): string => JSON.stringify({ data: { keys } });

export const lookupBody = (fields: object = { expire_time: null, ttl: 0, renewable: false }): string =>
  JSON.stringify({ data: fields });

export const noSuchSecret: Reply = { status: 404, body: '{"errors":[]}\n' };
export const denied: Reply = { status: 403, body: '{"errors":["1 error occurred:\\n\\t* permission denied\\n\\n"]}\n' };
