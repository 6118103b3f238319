import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import rateLimit from '@fastify/rate-limit';
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { type AuditEntry, parseEntry } from '../audit/entry.ts';
import { bearerTest } from '../bearer.ts';
import type { Clock } from '../clock.ts';
import type { Sensitive } from '../sensitive.ts';
import type { Funnel } from './funnel.ts';

/** The largest body, packed and unpacked, in bytes. */
const MAX_BODY = 8 * 1024 * 1024;
/** How long an answer may wait for SQS, in ms; then the sender is told to try again. */
const QUEUED_WITHIN = 10_000;

const unzip = promisify(gunzip);

export interface WebhookOptions {
  readonly tokens: readonly Sensitive<string>[];
  /** `window` in ms. */
  readonly rateLimit: { readonly max: number; readonly window: number };
  readonly funnel: Pick<Funnel, 'accept'>;
  readonly flush: () => void;
  /** False while SQS cannot be reached: the changes are kept, and the sender is told at once to try again. */
  readonly reachable: () => boolean;
  readonly clock: Clock;
}

/**
 * `POST /v1/audit`: one audit entry, a JSON array of them, or NDJSON; gzip is taken. Answers 204 once every change in
 * it is on the queue, or at once with `?ack=received`. A retry after any other answer costs at most a second look.
 */
export const webhook: FastifyPluginAsync<WebhookOptions> = async (app, options) => {
  await app.register(rateLimit, { max: options.rateLimit.max, timeWindow: options.rateLimit.window });
  const authorized = bearerTest(options.tokens);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY }, (_request, body, done) => done(null, body));
  // After the rate limit's onRequest, so that guesses of a token are limited too, and before the body is read.
  app.addHook('preParsing', async (request, reply) => {
    if (!authorized(request.headers.authorization)) return refuse(reply, 401, 'a valid bearer token is needed');
    return undefined;
  });
  app.setErrorHandler<FastifyError>(({ statusCode = 500, message }, _request, reply) =>
    refuse(reply, statusCode, statusCode < 500 ? message : 'unexpected; send the same again'),
  );
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'there is only POST /v1/audit'));
  app.post('/v1/audit', { bodyLimit: MAX_BODY }, (request, reply) => receive(request, reply, options));
};

async function receive(request: FastifyRequest, reply: FastifyReply, options: WebhookOptions): Promise<FastifyReply> {
  const body = await unpacked(request);
  if (typeof body === 'string') return refuse(reply, body === 'ERR_BUFFER_TOO_LARGE' ? 413 : 400, UNPACKED);
  const { entries, malformed } = readEntries(body);
  const waits = (request.query as { ack?: unknown }).ack !== 'received';
  const queued = waits && options.reachable() ? acceptAll(entries, options) : acceptAtOnce(entries, options);
  if (malformed.length > 0) return refuse(reply, 400, `not an audit entry: number ${malformed.join(', ')}`);
  if (waits && !(await queued)) {
    reply.header('retry-after', '5');
    return refuse(reply, 503, 'SQS did not take the changes in time; send the same again');
  }
  return reply.code(204).send();
}

const UNPACKED = `the body is not gzip, or unpacks to over ${MAX_BODY} bytes`;

/** The body's bytes, or the code of what is wrong with its packing. */
async function unpacked({ body, headers }: FastifyRequest): Promise<Buffer | string> {
  if (!Buffer.isBuffer(body)) return Buffer.alloc(0);
  if (headers['content-encoding'] !== 'gzip') return body;
  return unzip(body, { maxOutputLength: MAX_BODY }).catch(({ code }: NodeJS.ErrnoException) => String(code));
}

/** Numbers of malformed entries count from 1; their content is never told. */
function readEntries(body: Buffer): { entries: AuditEntry[]; malformed: number[] } {
  const entries: AuditEntry[] = [];
  const malformed: number[] = [];
  let number = 0;
  for (const line of entryTexts(body)) {
    number += 1;
    const entry = parseEntry(line);
    if (entry === undefined) malformed.push(number);
    else entries.push(entry);
  }
  return { entries, malformed };
}

function entryTexts(body: Buffer): Buffer[] {
  const text = body.toString().trim();
  if (text === '') return [];
  if (text.startsWith('[')) {
    const array = parsed(text);
    if (Array.isArray(array)) return array.map((entry) => Buffer.from(JSON.stringify(entry) ?? ''));
  }
  if (parsed(text) !== undefined) return [Buffer.from(text)];
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Buffer.from(line)]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Nobody waits for the changes' messages: the sender does not want to, or there is no SQS, and each wait costs memory. */
async function acceptAtOnce(entries: readonly AuditEntry[], { funnel, flush }: WebhookOptions): Promise<boolean> {
  for (const entry of entries) funnel.accept(entry);
  flush();
  return false;
}

/** True when all changes of the entries are on the queue in time, by these messages or newer ones. */
function acceptAll(entries: readonly AuditEntry[], { funnel, flush, clock }: WebhookOptions): Promise<boolean> {
  const queued = new Promise<void>((resolve) => {
    let expected = 0;
    let told = 0;
    let complete = false;
    const check = () => {
      if (complete && told === expected) resolve();
    };
    const onQueued = () => {
      told += 1;
      check();
    };
    for (const entry of entries) expected += funnel.accept(entry, onQueued);
    complete = true;
    check();
    flush();
  });
  return withinLimit(queued, clock);
}

async function withinLimit(queued: Promise<void>, clock: Clock): Promise<boolean> {
  const late = new AbortController();
  const inTime = await Promise.race([
    queued.then(() => true),
    clock.sleep(QUEUED_WITHIN, late.signal).then(() => false),
  ]);
  late.abort();
  return inTime;
}

const refuse = (reply: FastifyReply, code: number, message: string): FastifyReply =>
  reply.code(code).send({ error: { code, message } });
