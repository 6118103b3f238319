import fc from 'fast-check';
import t from 'tap';
import { kvEntry } from '../audit/entries.ts';
import { bodies, createWorker } from './bodies.ts';
import { CANARY, NASTY_BODIES, NASTY_JSON, NASTY_LINES } from './corpus.ts';
import { checkRendering, renderings } from './json.ts';
import { fuzzLines } from './lines.ts';
import { checkBody, FORMS } from './posted.ts';
import { createStream, streams } from './stream.ts';

t.test('each nasty line alone, before and after a good one', async (t) => {
  for (const line of NASTY_LINES) {
    const stream = createStream(2 * 1024 * 1024);
    const bytes = Buffer.concat([Buffer.from(line), Buffer.from('\n')]);
    for (const chunk of [bytes, Buffer.from(NASTY_LINES.at(-1) ?? ''), Buffer.from('\n'), bytes]) stream.push(chunk);
    t.ok(stream.end() >= 1, `the good line comes through (${bytes.subarray(0, 40).toString('latin1')})`);
  }
});

t.test('100 MB without a newline: nothing is kept, and the next line is read', async (t) => {
  const stream = createStream(1024 * 1024);
  const chunk = Buffer.alloc(1024 * 1024, 'kv/data/ \\u');
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i += 1) {
    stream.push(chunk);
    if (i > 1) t.equal(stream.connection.retainedBytes, 0, 'it is only measured');
  }
  t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024);
  stream.push(Buffer.from('\n'));
  stream.push(Buffer.from(`${NASTY_LINES.at(-1)}\n`));
  t.match(stream.connection.counts, { lines: 2, skipped: 1, handed: 1 });
  t.equal(stream.end(), 1);
});

t.test('nasty lines in bodies of the webhook, each before a good one and all together', async () => {
  const lines = NASTY_LINES.map((line) => Buffer.from(line));
  const good = lines.slice(-1);
  for (const form of Object.values(FORMS)) {
    for (const some of [...lines.map((line) => [line, ...good]), lines]) await checkBody([form(some)], 64 * 1024);
  }
});

t.test('each nasty body alone and all together', async (t) => {
  for (const body of NASTY_BODIES) await createWorker()([body]);
  await createWorker()(NASTY_BODIES);
  t.ok(NASTY_BODIES.some((body) => body.includes(CANARY)));
});

t.test('each nasty text of JSON', async () => {
  for (const text of NASTY_JSON) checkRendering(text);
});

t.test('any stream of bytes', async () => fc.assert(streams, { numRuns: 150 }));
t.test('mutated lines of a real server', async () => fuzzLines(10_000, 7, () => undefined));
t.test('any bodies of messages', async () => fc.assert(bodies, { numRuns: 150 }));
t.test('any text of JSON', async () => fc.assert(renderings, { numRuns: 1_000 }));

t.test('a plain write comes through: the stream drops nothing that it should carry', async (t) => {
  for (const [change, messages] of [
    ['update data/a', 1],
    ['delete metadata/a', 1],
    ['read data/a', 0],
    ['update data/\ud800', 0],
  ] as const) {
    const [operation, path] = change.split(' ') as [string, string];
    const stream = createStream(1024);
    stream.push(Buffer.from(`${JSON.stringify(kvEntry({ namespace: '', mount: 'kv' }, operation, path))}\n`));
    t.equal(stream.end(), messages, JSON.stringify(change));
  }
});
