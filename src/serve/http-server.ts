import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import type { Certificate } from '../certificate.ts';
import { createPeers } from '../ingress/peers.ts';
import { createPlaces, type Place } from '../ingress/places.ts';

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

/** What is under way when a door closes may take this long, in ms: the whole way down has to fit into 20 s. */
const CLOSE_WITHIN = 2_000;

export interface HttpDoorOptions {
  readonly limits: HttpLimits;
  readonly certificate?: Certificate | undefined;
  /** Whether this address may connect; absent, any may. */
  readonly allowed?: ((remote: string) => boolean) | undefined;
  /** A connection was ended: its address may not connect, or it had to give way though it has shown a token. */
  readonly onRefused?: (reason: 'address' | 'connections', remote: string | undefined) => void;
}

/** The servers of a Fastify application (two of them where `localhost` has two addresses), bounded together. */
export interface HttpDoor {
  readonly serverFactory: (listener: http.RequestListener) => http.Server;
  /** The connection has shown a valid token: it gives way to a new one only after those that have not. */
  prove(socket: net.Socket): void;
  /** Closes the application; whoever is in the middle of something then has a moment left. */
  close(app: { close(): Promise<unknown> }): Promise<void>;
}

export function createHttpDoor({ limits, certificate, allowed, onRefused }: HttpDoorOptions): HttpDoor {
  const onCrowded = ({ remoteAddress }: net.Socket) => onRefused?.('connections', remoteAddress);
  const places = createPlaces({ limit: limits.maxConnections, onCrowded });
  const peers = createPeers<Place>();
  const letIn = (socket: net.Socket) => {
    const remote = socket.remoteAddress;
    const mayConnect = remote !== undefined && (allowed === undefined || allowed(remote));
    if (remote !== undefined && !mayConnect) onRefused?.('address', remote);
    const place = mayConnect ? places.admit(socket) : undefined;
    if (place === undefined) socket.destroy();
    else peers.add(socket, place);
  };
  const answer: http.RequestListener = ({ socket }, response) => {
    const place = peers.of(socket);
    place?.begin();
    response.once('close', () => place?.end());
  };
  return {
    serverFactory: (listener) =>
      createServer(limits, certificate, listener).on('connection', letIn).on('request', answer),
    prove: (socket) => peers.of(socket)?.keep(),
    async close(app) {
      const late = setTimeout(places.end, CLOSE_WITHIN);
      await app.close();
      clearTimeout(late);
    },
  };
}

function createServer(
  { headersTimeout, requestTimeout, keepAliveTimeout, checkingInterval, idleTimeout }: HttpLimits,
  certificate: Certificate | undefined,
  listener: http.RequestListener,
): http.Server {
  const options = { headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: checkingInterval };
  const server =
    certificate === undefined
      ? http.createServer(options, listener)
      : secured(https.createServer({ ...options, ...certificate.serverOptions }, listener), certificate);
  server.setTimeout(idleTimeout);
  return server;
}

function secured(server: https.Server, certificate: Certificate): https.Server {
  certificate.attach(server);
  return server;
}
