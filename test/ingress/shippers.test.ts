import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import t from 'tap';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { createConnection } from '../../src/ingress/connection.ts';
import { webhook } from '../../src/ingress/webhook.ts';
import { manualClock } from '../fakes/clock.ts';
import { projectRoot } from '../servers/root.ts';

// What shippers send with the configurations of docs/shippers.md, and with their defaults. What rsyslog 8.2302 and Fluent
// Bit 1.8.15 sent was recorded; the others are written after Vector's and Fluent Bit's documentation and source.

const FIXTURE = join(projectRoot(), 'test/fixtures/shippers/rsyslog-omfwd.txt');
const RECORDED = join(projectRoot(), 'test/fixtures/shippers/fluent-bit-http.ndjson');
const search = createMarkerSearch(auditMarkers([{ namespace: '', mount: 'hybrid-aws-secrets' }]));
const stream = await readFile(FIXTURE);
const recorded = await readFile(RECORDED, 'utf8');
const [test = '', first = '', second = ''] = stream.toString().split('\n');
const PATHS = ['hybrid-aws-secrets/data/first-secret-for-aws', 'hybrid-aws-secrets/data/café/<x>'];

/** A record as Vector's file source makes it. */
const vectorEvent = (message: string) => ({
  file: '/var/log/vault/audit.log',
  host: 'vault-1',
  message,
  source_type: 'file',
  timestamp: '2026-11-25T03:00:00.123456789Z',
});
/** A record as Fluent Bit's tail input makes it, with a number for its date. */
const fluentRecord = (log: string) => ({ date: 1795575600.123456, log });
const fluentParsed = (log: string) => JSON.parse(log) as object;

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
const all = [test, first, second];
const json = 'application/json';
const ndjson = 'application/x-ndjson';

interface Posted {
  readonly contentType: string;
  readonly body: string;
}

const POSTED: Readonly<Record<string, Posted>> = {
  'Vector, codec text, newline_delimited': { contentType: 'text/plain', body: lines(all) },
  'Vector, codec json, newline_delimited': {
    contentType: ndjson,
    body: lines(all.map((line) => JSON.stringify(vectorEvent(line)))),
  },
  'Vector, codec json, its default framing': { contentType: json, body: JSON.stringify(all.map(vectorEvent)) },
  'Fluent Bit, parsed, json_lines without a date, recorded': { contentType: json, body: recorded },
  'Fluent Bit, parsed, json_lines without a date': {
    contentType: ndjson,
    body: lines(all.map((line) => JSON.stringify(fluentParsed(line)))),
  },
  'Fluent Bit, parsed, json with a date': {
    contentType: json,
    body: JSON.stringify(all.map((line) => ({ date: 1795575600.1, ...fluentParsed(line) }))),
  },
  'Fluent Bit, unparsed, json': { contentType: json, body: JSON.stringify(all.map(fluentRecord)) },
};

t.test('what shippers post is understood, packed or not', async (t) => {
  for (const [name, { contentType, body }] of Object.entries(POSTED)) {
    const paths: string[] = [];
    const app = Fastify();
    t.teardown(() => app.close());
    app.register(webhook, {
      onAuthorized() {},
      authorized: (authorization) => authorization === 'Bearer a-token',
      rateLimit: { max: 10, window: 1_000 },
      search,
      maxLineBytes: 1_048_576,
      funnel: {
        accept({ path }) {
          if (path !== 'sys/audit/test') paths.push(path);
          return 0;
        },
      },
      flush() {},
      reachable: () => true,
      onRead: ({ malformed, tooLong }) => t.same([malformed.count, tooLong.count], [0, 0]),
      clock: manualClock(),
    });
    const headers = { authorization: 'Bearer a-token', 'content-type': contentType };
    const url = '/v1/audit';
    t.equal((await app.inject({ method: 'POST', url, payload: body, headers })).statusCode, 204, name);
    const packed = { ...headers, 'content-encoding': 'gzip' };
    t.equal((await app.inject({ method: 'POST', url, payload: gzipSync(body), headers: packed })).statusCode, 204);
    t.strictSame(paths, [...PATHS, ...PATHS], name);
  }
});

t.test('what rsyslog forwards to the socket is understood', async (t) => {
  const paths: string[] = [];
  let vaults = 0;
  const connection = createConnection({
    search,
    maxLineBytes: 1_048_576,
    onEntry: ({ path }) => paths.push(path),
    onVault: () => {
      vaults += 1;
    },
    onMalformed: () => t.fail('malformed'),
    onSkipped: () => t.fail('skipped'),
  });
  connection.push(stream);
  t.strictSame(paths, ['sys/audit/test', ...PATHS]);
  t.same([vaults, connection.counts.lines], [1, 3]);
});
