import http from 'node:http';
import https from 'node:https';
import type { Certificate } from '../certificate.ts';

/** What a peer may take of a door; times in ms. */
export interface HttpLimits {
  readonly maxConnections: number;
  /** From the connection's or the last answer's beginning to the end of the headers. */
  readonly headersTimeout: number;
  /** From there to the end of the body. */
  readonly requestTimeout: number;
  /** Without a byte, while a request is under way. */
  readonly idleTimeout: number;
  /** Between two requests; longer than a load balancer keeps its connections, so that it never meets a closed one. */
  readonly keepAliveTimeout: number;
  /** How often slow senders are looked for. */
  readonly checkingInterval: number;
}

/** Headers are at most 16 KiB, which is Node's own limit. */
export const HTTP_LIMITS: Omit<HttpLimits, 'maxConnections'> = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  idleTimeout: 60_000,
  keepAliveTimeout: 75_000,
  checkingInterval: 5_000,
};

export interface HttpServerOptions {
  readonly limits: HttpLimits;
  readonly certificate?: Certificate | undefined;
  /** A connection over the limit was closed. */
  readonly onDropped?: (remote: string | undefined) => void;
}

/** Makes the servers of a Fastify application (two of them where `localhost` has two addresses), every one bounded. */
export function httpServerFactory({ limits, certificate, onDropped }: HttpServerOptions) {
  return (listener: http.RequestListener): http.Server => {
    const { headersTimeout, requestTimeout, keepAliveTimeout, checkingInterval } = limits;
    const options = { headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: checkingInterval };
    const server =
      certificate === undefined
        ? http.createServer(options, listener)
        : secured(https.createServer({ ...options, ...certificate.serverOptions }, listener), certificate);
    server.maxConnections = limits.maxConnections;
    server.setTimeout(limits.idleTimeout);
    server.on('drop', (connection) => onDropped?.(connection?.remoteAddress));
    return server;
  };
}

function secured(server: https.Server, certificate: Certificate): https.Server {
  certificate.attach(server);
  return server;
}
