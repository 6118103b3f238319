import http from 'node:http';
import https from 'node:https';
import { Sensitive } from '../sensitive.ts';
import { redirectTarget } from './redirect.ts';

/** What node-vault hands to its transport; `maxBytes` and `body` are ours and pass through it untouched. */
export interface HttpRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly body?: Sensitive<string> | undefined;
}

/** An answer whose text cannot be printed, so that node-vault may keep it in an error without leaking it. */
export interface Answer {
  readonly status: number;
  readonly text: Sensitive<string>;
}

/** The shape that node-vault expects back: it looks at statusCode and passes `body` on. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly body: Answer;
  readonly request: { readonly path: string };
}

export interface Transport {
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): void;
}

interface Exchange {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

type Exchanger = (request: HttpRequest, origin: string, path: string, signal: AbortSignal) => Promise<Exchange>;

/** An answer over the caller's bound; its length is not known, since reading stopped there. */
export class AnswerTooLarge extends Error {
  override name = 'AnswerTooLarge';
}

const MAX_REDIRECTS = 2;
const CLOSED = 'the connection to Vault is closed';

/**
 * HTTP/1.1 over kept-alive connections. `timeout` (milliseconds) bounds a request with its redirects and retries and
 * the whole body. Certificates are always verified, against `ca` (PEM) where given; no environment variable is read.
 */
export function createTransport({ ca, timeout }: { ca?: string | undefined; timeout: number }): Transport {
  const inFlight = new Set<AbortController>();
  let closed = false;
  // Said outright, because NODE_TLS_REJECT_UNAUTHORIZED would decide where it is left open.
  const tls = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  const kept = { plain: new http.Agent({ keepAlive: true }), secure: new https.Agent({ ...tls, keepAlive: true }) };
  // A kept connection may be dead without our knowing, and a login may use up its secret-id: it is never sent twice.
  const fresh = { plain: new http.Agent(), secure: new https.Agent(tls) };
  const exchange: Exchanger = (request, origin, path, signal) => {
    const { plain, secure } = request.method === 'GET' ? kept : fresh;
    return origin.startsWith('https:')
      ? perform(https.request, secure, request, origin, path, signal)
      : perform(http.request, plain, request, origin, path, signal);
  };
  return {
    send: async (request) => {
      if (closed) throw new Error(CLOSED);
      return withLimit(timeout, inFlight, (signal) => follow(exchange, request, signal));
    },
    close: () => {
      closed = true;
      for (const request of inFlight) request.abort(new Error(CLOSED));
      for (const agent of [kept.plain, kept.secure, fresh.plain, fresh.secure]) agent.destroy();
    },
  };
}

/** Aborts at the limit, or when somebody aborts what stands in `inFlight`; leaves no timer behind. */
async function withLimit<T>(
  timeout: number,
  inFlight: Set<AbortController>,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeout} ms`)), timeout);
  inFlight.add(limit);
  try {
    return await run(limit.signal);
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    inFlight.delete(limit);
  }
}

async function follow(exchange: Exchanger, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const start = request.uri.indexOf('/', request.uri.indexOf('://') + 3);
  const path = request.uri.slice(start);
  let origin = request.uri.slice(0, start);
  for (let hops = 0; ; hops += 1) {
    const { status, location, text } = await exchange(request, origin, path, signal);
    const target = status === 307 || status === 308 ? redirectTarget(origin, path, location) : undefined;
    if (target === undefined || hops === MAX_REDIRECTS) {
      return { statusCode: status, body: { status, text: new Sensitive(text) }, request: { path } };
    }
    origin = target;
  }
}

function perform(
  open: typeof http.request,
  agent: http.Agent,
  request: HttpRequest,
  origin: string,
  path: string,
  signal: AbortSignal,
): Promise<Exchange> {
  const { method, headers, maxBytes, body } = request;
  // The path stays a string of its own: a URL would tidy it.
  const { hostname, port } = new URL(origin);
  const target = {
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    path,
    method,
    headers: { ...headers },
    agent,
    signal,
  };
  return new Promise((resolve, reject) => {
    const sent = open(target);
    let answered = false;
    sent.on('response', (response) => {
      answered = true;
      const location = response.headers.location;
      bodyText(response, maxBytes).then(
        (text) => resolve({ status: response.statusCode ?? 0, location, text }),
        reject,
      );
    });
    sent.on('error', (error) => {
      // A kept connection that the server had closed meanwhile: nothing was answered, and a GET, which alone is sent over
      // one, may be sent again. Each turn uses up one stale connection, so this ends.
      const stale = sent.reusedSocket && !answered && !signal.aborted;
      if (stale) resolve(perform(open, agent, request, origin, path, signal));
      else reject(error);
    });
    sent.end(body?.reveal());
  });
}

async function bodyText(response: http.IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    // Leaving the loop destroys the response, and its connection with it.
    if (size > maxBytes) throw new AnswerTooLarge(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
}
