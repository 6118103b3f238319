import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { BearerTest } from '../bearer.ts';
import type { Clock } from '../clock.ts';
import { type BodyEnd, readBody } from './body.ts';
import { createEntryReader, type EntryReaderOptions, type Read, type Rejected } from './entry-reader.ts';
import type { Funnel } from './funnel.ts';
import { createQueuedTally } from './queued.ts';

/** The largest body, packed and unpacked, in bytes. None is ever held whole. */
const MAX_BODY = 8 * 1024 * 1024;
/** How long an answer may wait for SQS, in ms; then the sender is told to try again. */
const QUEUED_WITHIN = 10_000;

export interface WebhookOptions extends Pick<EntryReaderOptions, 'search' | 'maxLineBytes'> {
  /** Whether an Authorization header opens the door. */
  readonly authorized: BearerTest;
  /** This connection has shown that it may post. */
  readonly onAuthorized: (socket: Socket) => void;
  /** `window` in ms. */
  readonly rateLimit: { readonly max: number; readonly window: number };
  readonly funnel: Pick<Funnel, 'accept'>;
  readonly flush: (awaited?: boolean) => void;
  /** False while SQS cannot be reached: the changes are kept, and the sender is told at once to try again. */
  readonly reachable: () => boolean;
  readonly onRead: (read: Read) => void;
  readonly clock: Clock;
}

/**
 * `POST /v1/audit`: one audit entry, a JSON array of them, or NDJSON; gzip is taken. Answers 204 once every change in
 * it is on the queue, or at once with `?ack=received`. A retry after any other answer costs at most a second look.
 */
export const webhook: FastifyPluginAsync<WebhookOptions> = async (app, options) => {
  await app.register(rateLimit, { max: options.rateLimit.max, timeWindow: options.rateLimit.window });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, body, done) => done(null, body)); // left as it is, and read as it comes
  // After the rate limit's onRequest, so that guesses of a token are limited too, and before the body is read.
  app.addHook('preParsing', async (request, reply) => {
    if (!options.authorized(request.headers.authorization))
      return turnAway(reply, 401, 'a valid bearer token is needed');
    options.onAuthorized(request.raw.socket);
    return undefined;
  });
  app.setErrorHandler<FastifyError>(({ statusCode = 500, message }, _request, reply) =>
    refuse(reply, statusCode, statusCode < 500 ? message : 'unexpected; send the same again'),
  );
  app.setNotFoundHandler((_request, reply) => turnAway(reply, 404, 'there is only POST /v1/audit'));
  app.post('/v1/audit', (request, reply) => receive(request, reply, options));
};

async function receive(request: FastifyRequest, reply: FastifyReply, options: WebhookOptions): Promise<FastifyReply> {
  const gzip = GZIP.get(String(request.headers['content-encoding'] ?? 'identity').toLowerCase());
  if (gzip === undefined) return refuse(reply.header('accept-encoding', 'gzip'), 415, 'content-encoding: gzip or none');
  if (Number(request.headers['content-length']) > MAX_BODY) return refuseEnd(reply, 'too_large');
  const waits = (request.query as { ack?: unknown }).ack !== 'received';
  const { funnel, flush, reachable, onRead, clock } = options;
  const queued = createQueuedTally();
  const onQueued = waits && reachable() ? queued.onQueued : undefined; // each wait costs memory
  const reader = createEntryReader({ ...options, onEntry: (entry) => queued.expect(funnel.accept(entry, onQueued)) });
  const onChunk = (chunk: Buffer) => {
    reader.push(chunk);
    flush();
  };
  const end = await readBody(request.raw, { gzip, maxBytes: MAX_BODY, onChunk, clock });
  if (end !== 'whole') return refuseEnd(reply, end);
  const read = reader.end();
  flush(onQueued !== undefined);
  onRead(read);
  const answered = refuseEntries(reply, read);
  if (answered !== undefined) return answered;
  const within = onQueued === undefined ? 0 : QUEUED_WITHIN;
  if (!waits || (await queued.all(within, clock))) return reply.code(204).send();
  return refuse(reply.header('retry-after', '5'), 503, 'SQS did not take the changes in time; send the same again');
}

const GZIP: ReadonlyMap<string, boolean> = new Map([
  ['identity', false],
  ['gzip', true],
  ['x-gzip', true],
]);

/** What came of a body that is not read to its end is taken: a retry costs a second look at it. */
function refuseEnd(reply: FastifyReply, end: Exclude<BodyEnd, 'whole'>): FastifyReply {
  reply.header('connection', 'close'); // the rest would have to be read
  if (end === 'too_large') return refuse(reply, 413, `the body is, or unpacks to, over ${MAX_BODY} bytes`);
  return refuse(reply, 400, end === 'not_gzip' ? 'the body is not gzip' : 'the body ended before it was whole');
}

/** The right ones among the entries are taken all the same. */
function refuseEntries(reply: FastifyReply, { malformed, tooLong }: Read): FastifyReply | undefined {
  if (malformed.count > 0) return refuse(reply, 400, `not an audit entry: ${numbers(malformed)}`);
  if (tooLong.count > 0) return refuse(reply, 413, `over ingress.maxLineBytes: ${numbers(tooLong)}`);
  return undefined;
}

const numbers = ({ numbers, count }: Rejected): string =>
  `number ${numbers.join(', ')}${count > numbers.length ? ` and ${count - numbers.length} more` : ''}`;

/** Who has no business here gets no place to keep, either. */
const turnAway = (reply: FastifyReply, code: number, message: string): FastifyReply =>
  refuse(reply.header('connection', 'close'), code, message);

const refuse = (reply: FastifyReply, code: number, message: string): FastifyReply =>
  reply.code(code).send({ error: { code, message } });
