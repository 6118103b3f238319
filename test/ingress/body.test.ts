import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { readBody } from '../../src/ingress/body.ts';
import { manualClock } from '../fakes/clock.ts';

function reading(gzip: boolean) {
  const raw = new PassThrough();
  const chunks: string[] = [];
  const onChunk = (chunk: Buffer) => chunks.push(String(chunk));
  const end = readBody(raw, { gzip, maxBytes: 100, onChunk, clock: manualClock() });
  return { raw, chunks, end };
}

t.test('a body is whole, too large, not gzip, or given up by its sender', async (t) => {
  const cases: [boolean, string | Buffer, string, string][] = [
    [false, 'some text', 'whole', 'some text'],
    [true, gzipSync('some text'), 'whole', 'some text'],
    [false, 'x'.repeat(101), 'too_large', ''],
    [true, gzipSync('x'.repeat(101)), 'too_large', ''],
    [true, 'some text', 'not_gzip', ''],
    [true, gzipSync('some text').subarray(0, -1), 'not_gzip', 'some text'],
  ];
  for (const [gzip, sent, how, read] of cases) {
    const { raw, chunks, end } = reading(gzip);
    raw.end(sent);
    t.same([await end, chunks.join('')], [how, read]);
  }
  for (const gzip of [false, true]) {
    const { raw, end } = reading(gzip);
    raw.write(gzip ? gzipSync('some text').subarray(0, 12) : 'some');
    raw.destroy(new Error('aborted'));
    t.equal(await end, 'aborted');
  }
});

t.test('what is not read does not stand in the way of an answer', async (t) => {
  const { raw, chunks, end } = reading(false);
  raw.write('x'.repeat(101));
  t.equal(await end, 'too_large');
  raw.write('y'.repeat(100_000));
  await new Promise((resolve) => raw.end(resolve));
  t.same(chunks, []);
});
