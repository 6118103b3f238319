import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createChangeReader } from '../../src/audit/change.ts';
import type { AuditEntry } from '../../src/audit/entry.ts';
import { createMarkerSearch } from '../../src/audit/marker-search.ts';
import { auditMarkers } from '../../src/audit/markers.ts';
import { createConnection } from '../../src/ingress/connection.ts';
import { createDirtyCopies } from '../../src/ingress/dirty.ts';
import { createFunnel } from '../../src/ingress/funnel.ts';
import { createSweepRequests } from '../../src/ingress/sweep-request.ts';
import { parseMessage } from '../../src/queue/message.ts';
import { createRoutes } from '../../src/replicate/routes.ts';
import { kvEntry } from '../audit/entries.ts';
import { recordingLog } from '../fakes/log.ts';
import { CANARY, NASTY_LINES } from './corpus.ts';

const KV = { namespace: '', mount: 'kv' };
const TEAM = { namespace: 'team/a', mount: 'deep/kv' };
const ROUTES = createRoutes(
  [KV, TEAM].map((mount) => ({
    ...mount,
    name: mount.mount,
    include: ['**'],
    exclude: [],
    to: ['default'],
    as: '{namespace}/{mount}/{path}',
  })),
  { default: {} },
);
const MAX_DIRTY = 100;

/** Of what an audit device, or somebody who looks like one, may mention. */
export const SEARCH = createMarkerSearch(auditMarkers(ROUTES.mounts));

/** From audit entries to the messages that would be sent. */
export function createEnd() {
  const { log, lines } = recordingLog();
  let overflows = 0;
  const dirty = createDirtyCopies(MAX_DIRTY, () => {
    overflows += 1;
  });
  const funnel = createFunnel({
    vault: 'vault',
    read: createChangeReader({ routes: ROUTES.mounts, kvVersion: ({ mount }) => (mount === 'kv' ? 2 : 1) }),
    routes: ROUTES,
    dirty,
    sweeps: createSweepRequests('vault'),
    log,
    metrics: { entry: () => undefined, change: () => undefined },
    askMounts: () => undefined,
  });
  return {
    accept(entry: AuditEntry): void {
      funnel.accept(entry);
      assert.ok(dirty.size <= MAX_DIRTY, 'no more is dirty than may be');
    },
    /** Every message that came of them is one that the worker reads; returns how many there are. */
    end(): number {
      const batch = dirty.take(MAX_DIRTY, Number.MAX_SAFE_INTEGER);
      for (const { message } of batch) {
        const read = parseMessage(message.body, 'vault');
        assert.ok(read.kind === 'change' && !/\p{Surrogate}/u.test(`${read.namespace} ${read.path}`));
        assert.match(message.group, /^[0-9a-f]{64}$/);
        assert.ok(message.deduplicationId.length <= 128 && Buffer.byteLength(message.body) <= 200 * 1024);
        assert.ok(!/[\p{Surrogate}\uFFFE\uFFFF]/u.test(message.body));
      }
      assert.ok(!JSON.stringify([batch, lines]).includes(CANARY), 'no plaintext goes on');
      assert.equal(Reflect.get({}, 'polluted'), undefined);
      return batch.length + overflows;
    },
  };
}

/** From the bytes of an audit device to the messages that would be sent. */
export function createStream(maxLineBytes: number) {
  const { accept, end } = createEnd();
  const ignore = () => undefined;
  const connection = createConnection({
    search: SEARCH,
    maxLineBytes,
    onEntry: accept,
    onVault: ignore,
    onMalformed: ignore,
    onSkipped: ignore,
  });
  let bytes = 0;
  return {
    connection,
    push(chunk: Buffer): void {
      bytes += chunk.length;
      connection.push(chunk);
      assert.ok(connection.retainedBytes <= maxLineBytes, 'no more is kept than one line may have');
    },
    /** Ends the stream; returns how many messages came of it. */
    end(): number {
      connection.end();
      assert.equal(connection.counts.bytes, bytes);
      assert.ok(connection.counts.handed + connection.counts.skipped <= connection.counts.lines + 1);
      return end();
    },
  };
}

const someText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('data/a', 'metadata/a', '/', ''),
);
const operation = fc.constantFrom('create', 'update', 'patch', 'delete', 'read', 'list', '');
/** An entry as Vault writes it, in which any part may be something else. */
const entry = fc
  .record({
    mount: fc.constantFrom(KV, TEAM, { namespace: '', mount: 'other' }),
    operation,
    below: fc.oneof(
      someText.map((text) => `data/${text}`),
      someText,
    ),
    data: fc.jsonValue(),
    replaced: fc.option(
      fc.tuple(fc.constantFrom('time', 'type', 'auth', 'request', 'response', 'error'), fc.jsonValue()),
    ),
  })
  .map(({ mount, operation: op, below, data, replaced }) => {
    const whole = kvEntry(mount, op, below, { responseData: data, requestData: data });
    return JSON.stringify(replaced === null ? whole : { ...whole, [replaced[0]]: replaced[1] });
  });
const piece: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 5, arbitrary: entry.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.constantFrom(...NASTY_LINES).map((line) => Buffer.from(line)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
);
const ending = fc.constantFrom('\n', '\n', '\n', '\r\n', '', '\0', '\n\n');

/** A stream of lines, whole and broken, cut anywhere, through the scanner, the reader and the funnel. */
export const streams = fc.property(
  fc.array(fc.tuple(piece, ending), { maxLength: 30 }),
  fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 10 }),
  fc.constantFrom(512, 4_096, 2 * 1024 * 1024),
  (pieces, cuts, maxLineBytes) => {
    const stream = createStream(maxLineBytes);
    const bytes = Buffer.concat(pieces.flatMap(([line, end]) => [line, Buffer.from(end)]));
    for (let at = 0, i = 0; at < bytes.length; i += 1) {
      const length = cuts[i % cuts.length] ?? 1;
      const big = bytes.length > 100_000 ? length * 100 : length; // a long line in small chunks takes its time
      stream.push(bytes.subarray(at, at + big));
      at += big;
    }
    stream.end();
  },
);
